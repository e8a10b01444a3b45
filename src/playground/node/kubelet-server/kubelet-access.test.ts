import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import type { KubeClient } from "#kube/kube-client";
import { ManualClock } from "../../../../tests/kit/manual-clock.ts";
import { createKubeletAccess, neededSubresources } from "./kubelet-access.ts";

interface Caller {
  readonly url?: string;
  readonly subject?: { CN: string; O?: string | string[] };
  readonly token?: string;
}

const request = ({ url = "/exec/ns/p/c", subject, token }: Caller) =>
  ({
    method: "GET",
    url,
    headers: token ? { authorization: `Bearer ${token}` } : {},
    socket: { authorized: subject !== undefined, getPeerCertificate: () => ({ subject }) },
  }) as unknown as IncomingMessage;

function access(rights: readonly string[]) {
  const asked: string[] = [];
  const create = async (_type: unknown, body: { kind: string; spec: Record<string, unknown> }) => {
    if (body.kind === "TokenReview") {
      return { status: { authenticated: body.spec.token === "good", user: { username: "prometheus", groups: [] } } };
    }
    const user = String(body.spec.user);
    const resourceAttributes = body.spec.resourceAttributes as Record<string, string>;
    asked.push(`${user} ${resourceAttributes.verb} ${resourceAttributes.resource}/${resourceAttributes.subresource}`);
    return { status: { allowed: rights.includes(`${user} ${resourceAttributes.subresource}`) } };
  };
  const client = { create } as unknown as KubeClient;
  return { ...createKubeletAccess(client, "node1", new ManualClock()), asked };
}

test("the API server itself gets in without asking itself; nobody unnamed does", async () => {
  const { check, asked } = access([]);
  await check(request({ subject: { CN: "kube-apiserver-kubelet-client", O: "system:masters" } }));
  await expect(check(request({}))).rejects.toThrow(/^Unauthorized/);
  await expect(check(request({ token: "bad" }))).rejects.toThrow(/^Unauthorized/);
  expect(asked).toEqual([]);
});

test("a named user needs a right to the node, of which one answer lasts for a while", async () => {
  const { check, asked } = access(["prometheus metrics"]);
  await check(request({ token: "good", url: "/metrics/resource" }));
  await check(request({ token: "good", url: "/metrics/resource" }));
  expect(asked).toEqual(["prometheus get nodes/metrics"]);
  const refused = check(request({ subject: { CN: "jane" } }));
  await expect(refused).rejects.toThrow("Forbidden (user=jane, verb=get, resource=nodes, subresource(s)=[proxy])");
});

test("which right a path needs", () => {
  expect(neededSubresources("/containerLogs/ns/p/c")).toEqual(["proxy"]);
  expect(neededSubresources("/pods")).toEqual(["pods", "proxy"]);
  expect(neededSubresources("/stats/summary")).toEqual(["stats"]);
});
