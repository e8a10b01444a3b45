// Incremental pushes must end where a full push ends. This test replaces careful reading of impact.ts.
import fc from "fast-check";
import { expect, it } from "vitest";
import { PUSH_ORDER, type XdsType } from "#envoy/types";
import type { MeshSnapshot } from "#model/mesh-snapshot";
import { proxyFromNode } from "#model/proxy";
import { generate } from "#xds/generate";
import type { GeneratedResource } from "#xds/generated-resource";
import { impactOf } from "#xds/impact";
import { type ProxyView, proxyView } from "#xds/proxy-view";
import { FakeMesh } from "../kit/fake-mesh.ts";
import { CLUSTERS, FIRST_OBJECTS, meshEvent } from "./mesh-arbitrary.ts";

const common = { CLUSTER_ID: "c1", NETWORK: "n1" };
const PROXIES = [
  proxyFromNode("sidecar~10.244.97.1~a-1.sample~x", { ...common, LABELS: { app: "a" } }),
  proxyFromNode("sidecar~10.244.98.1~b-1.sample~x", { ...common, LABELS: { app: "b" } }),
  proxyFromNode("sidecar~10.244.200.1~c-1.other~x", { CLUSTER_ID: "c2", NETWORK: "n2", LABELS: { app: "c" } }),
  proxyFromNode("router~10.244.0.9~gw-1.istio-system~x", { ...common, LABELS: { istio: "eastwestgateway" } }),
];

type Held = ReadonlyMap<XdsType, ReadonlyMap<string, string>>;

const versions = (resources: readonly GeneratedResource[]) =>
  new Map(resources.map(({ name, version }) => [name, version]));

const full = (view: ProxyView): Held => new Map(PUSH_ORDER.map((type) => [type, versions(generate(view, type))]));

/** What a proxy holds after a push of the impact alone. Endpoints go with their clusters, as in Envoy. */
function afterPush(held: Held, view: ProxyView, impact: ReturnType<typeof impactOf>): Held {
  const next = new Map(
    PUSH_ORDER.map((type) => {
      const touched = impact.get(type);
      const before = held.get(type) ?? new Map<string, string>();
      if (touched === undefined) return [type, before];
      if (touched === "all") return [type, versions(generate(view, type))];
      return [type, new Map([...before, ...versions(generate(view, type, touched))])];
    }),
  );
  const clusters = next.get("CDS") ?? new Map();
  return next.set("EDS", new Map([...(next.get("EDS") ?? [])].filter(([name]) => clusters.has(name))));
}

it("gives each proxy the same by increments as at once", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(meshEvent, { minLength: 1, maxLength: 3 }), { maxLength: 14, size: "max" }),
      async (steps) => {
        const mesh = new FakeMesh({
          own: "c1",
          clusters: Object.fromEntries(CLUSTERS.map((name) => [name, FIRST_OBJECTS])),
        });
        try {
          const start: MeshSnapshot = await mesh.start();
          let held = PROXIES.map((proxy) => full(proxyView(start, proxy)));
          mesh.store.flush();
          mesh.store.subscribe(({ changes, snapshot }) => {
            held = PROXIES.map((proxy, i) => {
              const view = proxyView(snapshot, proxy);
              return afterPush(held[i] ?? new Map(), view, impactOf(changes, view));
            });
          });
          for (const events of steps) {
            for (const { cluster, action, object } of events) {
              if (action === "put") mesh.client(cluster).put(object);
              else mesh.client(cluster).remove(object);
            }
            await new Promise((resolve) => setTimeout(resolve, 4));
            mesh.store.flush();
            expect(held).toEqual(PROXIES.map((proxy) => full(proxyView(mesh.store.current, proxy))));
          }
        } finally {
          mesh.stop();
        }
      },
    ),
    { numRuns: 25 },
  );
}, 120_000);
