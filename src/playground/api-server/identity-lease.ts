// The Lease by which an API server tells that it is there, as Kubernetes' own does: named after the machine, renewed every
// ten seconds, and removed by others when it has not been for an hour.
import { createHash, randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { Logger } from "#base/logger";
import { errorMessage } from "#base/mesh-error";
import type { EngineParts } from "./api-context.ts";
import { SERVER } from "./bootstrap-objects.ts";
import type { JsonObject } from "./contract.ts";
import { numberAt, objectAt, stringAt } from "./json.ts";
import { createObject } from "./operations/create-object.ts";
import { removeObject } from "./operations/remove-object.ts";
import { updateObject } from "./operations/update-object.ts";
import { type ResourceKind, resourceKey } from "./resource-kind.ts";

const GROUP = "coordination.k8s.io";
const LEASES = resourceKey(GROUP, "leases");
const NAMESPACE = "kube-system";
const IDENTITY = "apiserver.kubernetes.io/identity";
const COMPONENT = "kube-apiserver";
const DURATION_S = 3600;
const RENEW_MS = 10_000;

/** Makes or takes over the Lease; keeps it until the signal aborts. */
export async function keepIdentityLease(
  parts: EngineParts,
  { logger, signal }: { readonly logger: Logger; readonly signal: AbortSignal },
): Promise<void> {
  const holder = `${identityOf(hostname())}_${randomUUID()}`;
  const renew = () =>
    renewIdentityLease(parts, holder).catch((thrown: unknown) => {
      logger.warn({ error: errorMessage(thrown) }, "identity lease not renewed");
    });
  await renew();
  const timers = [
    setInterval(() => void renew(), RENEW_MS),
    setInterval(() => removeExpiredLeases(parts), DURATION_S * 1000),
  ];
  for (const timer of timers) timer.unref();
  const end = () => timers.forEach(clearInterval);
  if (signal.aborted) end();
  else signal.addEventListener("abort", end, { once: true });
}

/** `apiserver-` and the hash of machine and program, as Kubernetes makes it. */
export function identityOf(machine: string): string {
  const prefixed = [machine, COMPONENT].map((text) => {
    const bytes = Buffer.from(text);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(bytes.length);
    return Buffer.concat([length, bytes]);
  });
  const hash = createHash("sha256").update(Buffer.concat(prefixed)).digest().subarray(0, 16);
  return `apiserver-${base32(hash)}`;
}

const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

/** RFC 4648 in lower case, without padding. */
function base32(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const groups = bits.match(/.{1,5}/g) ?? [];
  return groups.map((group) => ALPHABET[Number.parseInt(group.padEnd(5, "0"), 2)]).join("");
}

/** One turn. The holder stays whoever made it; throws what the write throws. */
export async function renewIdentityLease(parts: EngineParts, holder: string): Promise<void> {
  const kind = leaseKind(parts);
  const name = holder.slice(0, holder.indexOf("_"));
  const target = { namespace: NAMESPACE, name, subresource: "" };
  const current = parts.store.get(LEASES, NAMESPACE, name);
  const metadata = current === undefined ? { namespace: NAMESPACE, name } : objectAt(current, "metadata");
  const labels = { ...objectAt(metadata, "labels"), [IDENTITY]: COMPONENT, "kubernetes.io/hostname": hostname() };
  const spec = current === undefined ? { holderIdentity: holder } : objectAt(current, "spec");
  const renewTime = new Date(parts.now()).toISOString().replace("Z", "000Z");
  const body: JsonObject = structuredClone({
    apiVersion: `${GROUP}/v1`,
    kind: "Lease",
    metadata: { ...metadata, labels },
    spec: { ...spec, leaseDurationSeconds: DURATION_S, renewTime },
  });
  const request = { target, body, context: { ...SERVER, warnings: [] } };
  const own = { ...parts, admission: [] };
  if (current === undefined) await createObject(own, kind, request);
  else await updateObject(own, kind, request);
}

/** Those of API servers that are no more. */
export function removeExpiredLeases(parts: EngineParts): void {
  const kind = leaseKind(parts);
  for (const lease of parts.store.list(LEASES, NAMESPACE)) {
    if (stringAt(lease, "metadata", "labels", IDENTITY) !== COMPONENT) continue;
    const renewed = Date.parse(stringAt(lease, "spec", "renewTime"));
    const until = renewed + (numberAt(lease, "spec", "leaseDurationSeconds") ?? Number.NaN) * 1000;
    if (!(until >= parts.now())) removeObject({ ...parts, admission: [] }, kind, structuredClone(lease));
  }
}

function leaseKind(parts: EngineParts): ResourceKind {
  const kind = parts.registry.storageKind(GROUP, "leases");
  if (kind === undefined) throw new Error("no kind Lease");
  return kind;
}
