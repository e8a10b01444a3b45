import { describe, expect, test } from "vitest";
import type { MeshSnapshot } from "#model/mesh-snapshot";
import { type MeshProxy, proxyFromNode } from "#model/proxy";
import { generatedResource } from "#xds/generated-resource";
import type { ProxyView } from "#xds/proxy-view";
import { ResourceCache } from "./resource-cache.ts";

const proxy = (ip: string, over: Record<string, string> = {}): MeshProxy =>
  proxyFromNode(`sidecar~${ip}~p-${ip}.sample~sample.svc.cluster.local`, { CLUSTER_ID: "c1", NETWORK: "n1", ...over });

function make(ownEndpoints: readonly string[] = []) {
  const built: string[] = [];
  const cache = new ResourceCache({
    view: (snapshot, subject) => ({ snapshot, proxy: subject }) as ProxyView,
    ownEndpoints: () => ownEndpoints,
    generate(view, type, names) {
      built.push(`${type} ${names === undefined ? "all" : [...names].join()} for ${view.proxy.ips[0]}`);
      const known = [...(names ?? ["a", "b"])].filter((name) => name !== "absent");
      return known.map((name) => generatedResource(name, type, new Uint8Array([1])));
    },
  });
  return { cache, built };
}

const snapshot = (generation: number) => ({ generation }) as MeshSnapshot;

describe("equal sidecars", () => {
  test("share what was built once, byte for byte", () => {
    const { cache, built } = make();
    const now = snapshot(1);
    const [first] = cache.read(now, proxy("10.0.0.1"), { type: "CDS", names: undefined });
    const [second] = cache.read(now, proxy("10.0.0.2"), { type: "CDS", names: undefined });
    expect(first?.any).toBe(second?.any);
    expect(built).toEqual(["CDS all for 10.0.0.1"]);
  });

  test("are not those of another network, and not those whose own address tells their ports", () => {
    const apart = make();
    apart.cache.read(snapshot(1), proxy("10.0.0.1"), { type: "CDS", names: undefined });
    const now = snapshot(2);
    apart.cache.read(now, proxy("10.0.0.1"), { type: "CDS", names: undefined });
    apart.cache.read(now, proxy("10.0.0.1", { NETWORK: "n2" }), { type: "CDS", names: undefined });
    expect(apart.built).toHaveLength(3);
    const named = make(["web.sample.svc.cluster.local"]);
    for (const ip of ["10.0.0.1", "10.0.0.2"]) named.cache.read(now, proxy(ip), { type: "LDS", names: undefined });
    expect(named.built).toEqual(["LDS all for 10.0.0.1", "LDS all for 10.0.0.2"]);
  });

  test("ask for a name once, also for one that does not exist", () => {
    const { cache, built } = make();
    const now = snapshot(1);
    const read = (ip: string, ...names: string[]) =>
      cache.read(now, proxy(ip), { type: "RDS", names }).map(({ name }) => name);
    expect(read("10.0.0.1", "a", "absent")).toEqual(["a"]);
    expect(read("10.0.0.2", "absent", "a", "b")).toEqual(["a", "b"]);
    expect(built).toEqual(["RDS a,absent for 10.0.0.1", "RDS b for 10.0.0.1"]);
  });
});
