// A webhook for admission and conversion on loopback that answers by the path under which it was asked.
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { createCa, issueCertificate } from "../../../src/pki/issue-certificate.ts";
import type { Json, JsonMap } from "../step.ts";
import { conversionAnswer } from "./conversion-answers.ts";
import { isMap, parse, type WebhookAddress } from "./fill-in.ts";

export interface RunningWebhook extends WebhookAddress {
  close(): void;
}

type Verdict = (request: JsonMap) => JsonMap;

const patch = (operations: Json): JsonMap => ({
  allowed: true,
  patchType: "JSONPatch",
  patch: Buffer.from(JSON.stringify(operations)).toString("base64"),
});

const VERDICTS: Readonly<Record<string, Verdict>> = {
  allow: () => ({ allowed: true }),
  warn: () => ({ allowed: true, warnings: ["be careful", 'with "quotes"'] }),
  deny: () => ({ allowed: false }),
  "deny-message": () => ({ allowed: false, status: { message: "not today", reason: "Forbidden", code: 403 } }),
  "deny-code": () => ({ allowed: false, status: { message: "a teapot", code: 418 } }),
  "deny-label": (request) => ({
    allowed: !JSON.stringify(request["object"] ?? null).includes('"app":"b"'),
    status: { message: "no b" },
  }),
  /** Tells all that the server sent. */
  echo: (request) => ({ allowed: false, status: { message: JSON.stringify(sorted(request)) } }),
  label: () => patch([{ op: "add", path: "/metadata/labels", value: { hooked: "yes" } }]),
  annotate: () => patch([{ op: "add", path: "/metadata/annotations", value: { seen: "1" } }]),
  data: () => patch([{ op: "add", path: "/data", value: { added: "by-webhook" } }]),
  "bad-patch": () => patch([{ op: "replace", path: "/nowhere/at/all", value: 1 }]),
  "bad-object": () => patch([{ op: "add", path: "/metadata/labels", value: { "bad key!": "x" } }]),
  "no-verdict": () => ({}),
  "warn-deny": () => ({
    allowed: false,
    warnings: ["be careful"],
    status: { reason: "NotFound", details: { name: "x" } },
  }),
  "no-such-key": () => patch([{ op: "remove", path: "/data/none" }]),
  "no-such-test": () => patch([{ op: "test", path: "/kind", value: "Own" }]),
  "no-operation": () => patch([{ op: "own", path: "/kind" }]),
  "no-list": () => patch({ op: "add" }),
  "number-label": () => patch([{ op: "add", path: "/metadata/labels", value: { app: 1 } }]),
  "nothing-to-do": () => patch([]),
  "other-name": () => patch([{ op: "replace", path: "/metadata/name", value: "other" }]),
  owners: () =>
    patch([{ op: "replace", path: "/metadata/managedFields", value: [{ manager: "hook", operation: "Own" }] }]),
  "no-owners": () => patch([{ op: "replace", path: "/metadata/managedFields", value: [] }]),
  "patch-without-type": () => ({ allowed: true, patch: Buffer.from("[]").toString("base64") }),
  "type-without-patch": () => ({ allowed: true, patchType: "JSONPatch" }),
  "other-type": () => ({ allowed: true, patchType: "MergePatch", patch: Buffer.from("[]").toString("base64") }),
  append: (request) => {
    const data = isMap(request["object"]) && isMap(request["object"]["data"]) ? request["object"]["data"] : {};
    return patch([{ op: "add", path: "/data", value: { ...data, count: `${String(data["count"] ?? "")}x` } }]);
  },
};

/** Answers that are none: status and body. */
const NO_ANSWERS: Readonly<Record<string, readonly [number, string]>> = {
  error: [500, "broken"],
  "not-found": [404, "nobody"],
  unavailable: [503, "later"],
  forbidden: [403, "you may not"],
  teapot: [418, "short and stout"],
  "no-json": [200, "hello"],
  list: [200, "[]"],
  "no-kind": [200, "{}"],
};

export async function startWebhook(): Promise<RunningWebhook> {
  const ca = await createCa({ commonName: "webhook-ca" });
  const leaf = await issueCertificate(ca, { ipAddresses: ["127.0.0.1"], usages: ["server"], validSeconds: 86_400 });
  const server = createServer({ cert: leaf.certificatePem, key: leaf.privateKeyPem }, (request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const asked = parse(Buffer.concat(pieces).toString());
      const path = new URL(request.url ?? "/", "https://webhook").pathname.slice(1);
      const [status, text] = NO_ANSWERS[path] ?? [];
      if (status !== undefined) {
        response.statusCode = status;
        response.end(text);
      } else if (path === "hang") setTimeout(() => response.destroy(), 1500);
      else response.end(JSON.stringify(answer(path, asked)));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    caBundle: Buffer.from(ca.certificatePem).toString("base64"),
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function answer(path: string, asked: Json | undefined): JsonMap {
  if (isMap(asked) && asked["kind"] === "ConversionReview") return conversionAnswer(path, asked);
  const request = isMap(asked) && isMap(asked["request"]) ? asked["request"] : {};
  const verdict = VERDICTS[path]?.(request) ?? { allowed: true };
  const uid = path === "wrong-uid" ? "nobody" : (request["uid"] ?? "");
  const apiVersion = isMap(asked) && path !== "other-version" ? (asked["apiVersion"] ?? "") : "admission.k8s.io/v9";
  const kind = path === "other-kind" ? "Review" : "AdmissionReview";
  return { apiVersion, kind, response: path === "no-response" ? null : { uid, ...verdict } };
}

/** Keys in order, resource versions by being there: text that two servers can agree on. */
function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, key === "resourceVersion" ? "<rv>" : sorted(inner)]),
  );
}
