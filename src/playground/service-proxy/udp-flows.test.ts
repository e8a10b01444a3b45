import { expect, test } from "vitest";
import type { EndpointSlice, Service } from "#api/kubernetes/gen/types";
import { silentLogger } from "#base/logger";
import { createFlowCleaner, udpFlows } from "./udp-flows.ts";

const service = (name: string, protocol: string): Service => ({
  metadata: { namespace: "sample", name },
  spec: { clusterIP: "10.96.0.10", clusterIPs: ["10.96.0.10", "fd96::a"], ports: [{ name: "p", port: 53, protocol }] },
});
const slice = (name: string, protocol: string, ...addresses: string[]): EndpointSlice => ({
  metadata: { namespace: "sample", name: `${name}-x`, labels: { "kubernetes.io/service-name": name } },
  addressType: addresses[0]?.includes(":") ? "IPv6" : "IPv4",
  ports: [{ name: "p", port: 5353, protocol }],
  endpoints: addresses.map((address) => ({ addresses: [address] })),
});

test("what leads to an ended endpoint is forgotten, and nothing else", async () => {
  const forgotten: string[] = [];
  const cleaner = createFlowCleaner(async (args) => void forgotten.push(args.join(" ")), silentLogger());
  const look = async (...addresses: string[]) => {
    const services = [service("dns", "UDP"), service("web", "TCP")];
    await cleaner.apply(udpFlows(services, [slice("dns", "UDP", ...addresses), slice("web", "TCP", "10.244.0.9")], {}));
    return forgotten.splice(0);
  };
  expect(await look("10.244.0.1", "10.244.0.2")).toEqual([]);
  expect(await look("10.244.0.2", "10.244.0.3")).toEqual([
    "-D -f ipv4 -p udp --orig-dst 10.96.0.10 --dport 53 --dst-nat 10.244.0.1",
  ]);
  expect(await look("10.244.0.2", "10.244.0.3")).toEqual([]);
});

test("each family is looked at by itself", () => {
  const slices = [slice("dns", "UDP", "10.244.0.1"), slice("dns", "UDP", "fd44::1")];
  expect(udpFlows([service("dns", "UDP")], slices, { family: "IPv6" })).toEqual([
    { family: "IPv6", address: "fd96::a", port: 53, endpoint: "fd44::1" },
  ]);
});

test("a flow that cannot be forgotten stops nobody, nor does a machine without the tool", async () => {
  const flows = udpFlows([service("dns", "UDP")], [slice("dns", "UDP", "10.244.0.1")], {});
  const failing = createFlowCleaner(
    () => Promise.reject(new Error("0 flow entries have been deleted")),
    silentLogger(),
  );
  for (const cleaner of [failing, createFlowCleaner(undefined, silentLogger())]) {
    await cleaner.apply(flows);
    await expect(cleaner.apply([])).resolves.toBeUndefined();
  }
});
