import { Kinds } from "../../../../src/api/kinds.ts";
import { KubeError } from "../../../../src/kube/kube-client.ts";
import type { Scenario, World } from "../world.ts";
import { valueAt } from "../world.ts";
import { configMap, pod, replicaSet } from "./manifests.ts";

const { Namespace, ConfigMap, ServiceAccount, Secret, PodDisruptionBudget, Pod, ServiceCIDR } = Kinds;

const budget = (spec: object) => ({
  apiVersion: "policy/v1",
  kind: "PodDisruptionBudget",
  metadata: { name: "web" },
  spec: { selector: { matchLabels: { app: "web" } }, ...spec },
});

async function replicas(world: World, image: string, count: number): Promise<void> {
  await world.apply(replicaSet("web", image, { replicas: count }));
  await world.pods("app=web", count, ({ status }) => status?.phase === "Running");
}

async function evict(world: World, name: string, deleteOptions?: object): Promise<void> {
  const { namespace } = world;
  const metadata = { name, namespace };
  const body = { apiVersion: "policy/v1", kind: "Eviction", metadata, ...(deleteOptions ? { deleteOptions } : {}) };
  await world.client.createSubresource(Pod, { namespace, name, subresource: "eviction" }, body);
}

const serviceRange = (name: string, cidr: string) => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "ServiceCIDR",
  metadata: { name },
  spec: { cidrs: [cidr] },
});

export const namespaceScenarios: readonly Scenario[] = [
  {
    name: "service-range-waits-for-its-addresses",
    slow: true,
    clusterObjects: ["servicecidrs/used-range", "servicecidrs/unused-range", "ipaddresses/198.51.100.9"],
    async run(world) {
      await world.apply(
        serviceRange("used-range", "198.51.100.0/28"),
        serviceRange("unused-range", "198.51.100.32/28"),
      );
      for (const name of ["used-range", "unused-range"])
        await world.reaches(ServiceCIDR, name, "status.conditions.0.status", "True");
      const spec = { clusterIP: "198.51.100.9", ports: [{ port: 80 }] };
      await world.until("an added range gives addresses", async () => {
        try {
          await world.apply({ kind: "Service", metadata: { name: "web" }, spec });
          return true;
        } catch (thrown) {
          // Not every part of an API server has heard of it yet.
          if (thrown instanceof KubeError && thrown.status === 422) return undefined;
          throw thrown;
        }
      });
      for (const name of ["used-range", "unused-range"]) await world.remove(ServiceCIDR, name);
      await world.reaches(ServiceCIDR, "used-range", "status.conditions.0.status", "False");
      await world.gone(ServiceCIDR, "unused-range");
    },
  },
  {
    name: "namespace-gives-back-what-it-needs",
    async run(world) {
      const before = (await world.get(ServiceAccount, "default"))?.metadata?.uid;
      await world.remove(ConfigMap, "kube-root-ca.crt");
      await world.remove(ServiceAccount, "default");
      await world.until("both are back", async () => {
        const account = await world.get(ServiceAccount, "default");
        const map = await world.get(ConfigMap, "kube-root-ca.crt");
        return account !== undefined && account.metadata?.uid !== before && map !== undefined;
      });
      await world.patch(ConfigMap, "kube-root-ca.crt", { data: { "ca.crt": "forged", more: "x" } });
      await world.until("the certificate is back", async () => {
        return (
          (await world.get(ConfigMap, "kube-root-ca.crt"))?.["data"] !== undefined &&
          valueAt(await world.get(ConfigMap, "kube-root-ca.crt"), "data.more") === undefined
        );
      });
    },
  },
  {
    name: "namespace-waits-for-finalizers",
    slow: true,
    clusterObjects: ["namespaces/namespace-waits-for-finalizers"],
    async run(world) {
      await world.apply(
        configMap("held", { finalizers: ["example.com/hold"] }),
        configMap("free"),
        pod("web", "ready"),
      );
      await world.pods("app=web", 1, ({ status }) => status?.phase === "Running");
      await world.remove(Namespace, world.namespace);
      await world.until("the conditions tell", async () => {
        const conditions = valueAt(await world.get(Namespace, world.namespace), "status.conditions");
        return Array.isArray(conditions) && conditions.length >= 5;
      });
      await world.until("one object is left", async () => (await world.list(ConfigMap)).length === 1);
    },
  },
  {
    name: "service-account-token-secret",
    async run(world) {
      await world.apply(
        { kind: "ServiceAccount", metadata: { name: "robot" } },
        {
          kind: "Secret",
          metadata: { name: "robot-token", annotations: { "kubernetes.io/service-account.name": "robot" } },
          type: "kubernetes.io/service-account-token",
        },
      );
      await world.until("it has a token", async () => valueAt(await world.get(Secret, "robot-token"), "data.token"));
    },
  },
  {
    name: "service-account-takes-its-secrets-along",
    async run(world) {
      await world.apply(
        { kind: "ServiceAccount", metadata: { name: "robot" } },
        {
          kind: "Secret",
          metadata: { name: "robot-token", annotations: { "kubernetes.io/service-account.name": "robot" } },
          type: "kubernetes.io/service-account-token",
        },
      );
      await world.until("it has a token", async () => valueAt(await world.get(Secret, "robot-token"), "data.token"));
      await world.remove(ServiceAccount, "robot");
      await world.gone(Secret, "robot-token");
    },
  },
  {
    name: "disruption-budget-of-healthy-pods",
    async run(world) {
      await replicas(world, "ready", 3);
      await world.apply(budget({ minAvailable: 2 }));
      await world.reaches(PodDisruptionBudget, "web", "status.disruptionsAllowed", 1);
    },
  },
  {
    name: "disruption-budget-in-percent",
    async run(world) {
      await replicas(world, "ready", 4);
      await world.apply(budget({ maxUnavailable: "30%" }));
      await world.reaches(PodDisruptionBudget, "web", "status.disruptionsAllowed", 2);
    },
  },
  {
    name: "disruption-budget-of-sick-pods",
    async run(world) {
      await replicas(world, "unready", 2);
      await world.apply(budget({ minAvailable: "50%" }));
      await world.reaches(PodDisruptionBudget, "web", "status.expectedPods", 2);
    },
  },
  {
    name: "disruption-budget-is-used-up",
    looseEvents: true,
    async run(world) {
      await world.apply(
        pod("one", "lingers", {}, { labels: { app: "web" } }),
        pod("two", "lingers", {}, { labels: { app: "web" } }),
        budget({ minAvailable: 1 }),
      );
      await world.reaches(PodDisruptionBudget, "web", "status.disruptionsAllowed", 1);
      await evict(world, "one");
      await world.reaches(PodDisruptionBudget, "web", "status.disruptionsAllowed", 0);
      await world.reaches(PodDisruptionBudget, "web", "status.currentHealthy", 1);
    },
  },
  {
    name: "disruption-budget-refuses-another",
    async run(world) {
      await world.apply(
        pod("one", "lingers", {}, { labels: { app: "web" } }),
        pod("two", "lingers", {}, { labels: { app: "web" } }),
        pod("sick", "unready", {}, { labels: { app: "web" } }),
      );
      await world.pods("app=web", 3, ({ status }) => status?.phase === "Running");
      await world.apply(budget({ minAvailable: 1 }));
      await world.reaches(PodDisruptionBudget, "web", "status.disruptionsAllowed", 1);
      await evict(world, "one", { gracePeriodSeconds: 600 });
      // Not ready: it may go though nothing is left of the budget.
      await evict(world, "sick");
      await world.gone(Pod, "sick");
      await world.reaches(PodDisruptionBudget, "web", "status.expectedPods", 2);
      await world.reaches(PodDisruptionBudget, "web", "status.currentHealthy", 1);
      const refused = await evict(world, "two").catch((thrown: unknown) => thrown);
      if (!(refused instanceof KubeError)) throw new Error("the second eviction was not refused");
      await world.apply(
        configMap("refusal", { annotations: { status: `${refused.status}`, message: refused.message } }),
      );
    },
  },
];
