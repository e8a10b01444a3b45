import { Kinds } from "../../../../src/api/kinds.ts";
import type { EndpointSlice } from "../../../../src/api/kubernetes/gen/types.ts";
import type { Scenario, World } from "../world.ts";
import { pod, replicaSet, service } from "./manifests.ts";

const { EndpointSlice: Slices, Endpoints, Pod, Service, ReplicaSet } = Kinds;

const endpointsReach = (world: World, count: number, ready?: number) =>
  world.until(`${count} endpoints`, async () => {
    const slices = await world.list<EndpointSlice>(Slices);
    const endpoints = slices.flatMap((slice) => slice.endpoints ?? []);
    const serving = endpoints.filter(({ conditions }) => conditions?.ready === true);
    return slices.length > 0 && endpoints.length === count && (ready === undefined || serving.length === ready);
  });

const container = (ports: readonly object[]) => ({ containers: [{ name: "app", image: "ready", ports }] });

export const endpointScenarios: readonly Scenario[] = [
  {
    name: "endpoints-of-ready-pods",
    async run(world) {
      await world.apply(service("web", {}, { labels: { team: "blue" } }), replicaSet("web", "ready", { replicas: 3 }));
      await endpointsReach(world, 3, 3);
      await world.until("three addresses", async () => (await world.get(Endpoints, "web"))?.["subsets"] !== undefined);
    },
  },
  {
    name: "endpoints-of-no-pods",
    async run(world) {
      await world.apply(service("web"));
      await endpointsReach(world, 0);
      await world.until("empty Endpoints", () => world.get(Endpoints, "web"));
    },
  },
  {
    name: "endpoints-of-unready-pods",
    async run(world) {
      await world.apply(
        pod("up", "ready", {}, { labels: { app: "web" } }),
        pod("down", "unready", {}, { labels: { app: "web" } }),
      );
      await world.apply(service("web"));
      await endpointsReach(world, 2, 1);
    },
  },
  {
    name: "endpoints-published-before-ready",
    async run(world) {
      await world.apply(pod("down", "unready", {}, { labels: { app: "web" } }));
      await world.apply(service("web", { publishNotReadyAddresses: true }));
      await endpointsReach(world, 1, 1);
    },
  },
  {
    name: "endpoints-terminating",
    async run(world) {
      await world.apply(
        pod("going", "lingers", {}, { labels: { app: "web" } }),
        pod("staying", "ready", {}, { labels: { app: "web" } }),
      );
      await world.apply(service("web"));
      await endpointsReach(world, 2, 2);
      await world.remove(Pod, "going", { gracePeriodSeconds: 600 });
      await endpointsReach(world, 2, 1);
    },
  },
  {
    name: "endpoints-headless-with-hostnames",
    async run(world) {
      await world.apply(service("web", { clusterIP: "None" }));
      const named = (name: string) =>
        pod(name, "ready", { hostname: name, subdomain: "web" }, { labels: { app: "web" } });
      await world.apply(named("first"), named("second"));
      await endpointsReach(world, 2, 2);
    },
  },
  {
    name: "endpoints-headless-without-ports",
    async run(world) {
      await world.apply(service("web", { clusterIP: "None", ports: undefined }), pod("web", "ready"));
      await endpointsReach(world, 1, 1);
    },
  },
  {
    name: "endpoints-named-ports",
    async run(world) {
      const ports = [
        { name: "http", port: 80, targetPort: "web", appProtocol: "http" },
        { name: "admin", port: 81, targetPort: 9000 },
      ];
      await world.apply(service("web", { ports }));
      const labels = { app: "web" };
      await world.apply(
        pod("one", "ready", container([{ name: "web", containerPort: 8080 }]), { labels }),
        pod("two", "ready", container([{ name: "web", containerPort: 8888 }]), { labels }),
        pod("three", "ready", container([]), { labels }),
      );
      await endpointsReach(world, 3, 3);
    },
  },
  {
    name: "endpoints-beyond-a-hundred",
    slow: true,
    async run(world) {
      await world.apply(replicaSet("web", "ready", { replicas: 120 }));
      await world.reaches(ReplicaSet, "web", "status.readyReplicas", 120);
      // Pods that come one after another may share their slices otherwise.
      await world.apply(service("web"));
      await endpointsReach(world, 120, 120);
    },
    looseEvents: true,
  },
  {
    name: "endpoints-mirrored",
    async run(world) {
      await world.apply(service("outside", { selector: undefined, ports: [{ port: 80 }] }));
      await world.apply({
        kind: "Endpoints",
        metadata: { name: "outside", labels: { team: "blue" }, annotations: { note: "by hand" } },
        subsets: [
          {
            addresses: [{ ip: "192.0.2.1" }, { ip: "192.0.2.2", hostname: "two" }],
            notReadyAddresses: [{ ip: "192.0.2.3" }],
            ports: [{ port: 8080 }],
          },
        ],
      });
      await endpointsReach(world, 3);
    },
  },
  {
    name: "endpoints-mirrored-and-gone",
    async run(world) {
      await world.apply(service("outside", { selector: undefined, ports: [{ port: 80 }] }));
      await world.apply({
        kind: "Endpoints",
        metadata: { name: "outside" },
        subsets: [{ addresses: [{ ip: "192.0.2.1" }], ports: [{ port: 8080 }] }],
      });
      await endpointsReach(world, 1);
      await world.remove(Endpoints, "outside");
      await world.until("no slices", async () => (await world.list(Slices)).length === 0);
    },
  },
  {
    name: "endpoints-of-another-selector",
    async run(world) {
      await world.apply(service("web"), pod("web", "ready"), pod("api", "ready"));
      await endpointsReach(world, 1, 1);
      await world.patch(Service, "web", { metadata: { labels: { team: "red" } }, spec: { selector: { app: "api" } } });
      await world.until("the other pod", async () => {
        const [slice] = await world.list<EndpointSlice>(Slices);
        return slice?.endpoints?.[0]?.targetRef?.name === "api";
      });
    },
  },
  {
    name: "endpoints-of-a-deleted-service",
    async run(world) {
      await world.apply(service("web"), pod("web", "ready"));
      await endpointsReach(world, 1, 1);
      await world.remove(Service, "web");
      await world.until("no slices", async () => (await world.list(Slices)).length === 0);
      await world.gone(Endpoints, "web");
    },
  },
];
