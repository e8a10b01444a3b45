// What programs built on @kubernetes/client-node ask.
import {
  AppsV1Api,
  CoreV1Api,
  type KubeConfig,
  KubernetesObjectApi,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  Watch,
} from "@kubernetes/client-node";
import { until } from "#base/until";

export interface NodeClientCheck {
  readonly name: string;
  /** Gives what must be the same on every server. */
  readonly run: (config: KubeConfig) => Promise<unknown>;
}

const namespace = "client-node";
const WAIT = { timeoutMs: 60_000, intervalMs: 20 };

export const nodeClientChecks: readonly NodeClientCheck[] = [
  {
    name: "create, read, list, replace, delete",
    async run(config) {
      const core = config.makeApiClient(CoreV1Api);
      await core.createNamespace({ body: { metadata: { name: namespace } } });
      const made = await core.createNamespacedConfigMap({
        namespace,
        body: { metadata: { name: "a" }, data: { k: "1" } },
      });
      const replaced = await core.replaceNamespacedConfigMap({
        namespace,
        name: "a",
        body: { ...made, data: { k: "2" } },
      });
      const list = await core.listNamespacedConfigMap({ namespace });
      const deleted = await core.deleteNamespacedConfigMap({ namespace, name: "a" });
      return [replaced.data, list.items.map((item) => item.metadata?.name), deleted.status];
    },
  },
  {
    name: "patches with each content type",
    async run(config) {
      const apps = config.makeApiClient(AppsV1Api);
      const labels = { app: "x" };
      const containers = [{ name: "c", image: "i" }];
      const body = {
        metadata: { name: "d" },
        spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
      };
      await apps.createNamespacedDeployment({ namespace, body });
      const patch = async (type: PatchStrategy, change: unknown) =>
        apps.patchNamespacedDeployment(
          {
            namespace,
            name: "d",
            body: change,
            ...(type === PatchStrategy.ServerSideApply ? { fieldManager: "node", force: true } : {}),
          },
          setHeaderOptions("Content-Type", type),
        );
      await patch(PatchStrategy.MergePatch, { spec: { replicas: 2 } });
      await patch(PatchStrategy.JsonPatch, [{ op: "replace", path: "/spec/replicas", value: 3 }]);
      const merged = await patch(PatchStrategy.StrategicMergePatch, {
        spec: { template: { spec: { containers: [{ name: "d", image: "j" }] } } },
      });
      const applied = await patch(PatchStrategy.ServerSideApply, {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "d" },
        spec: { replicas: 4 },
      });
      return [merged.spec?.template.spec?.containers.map((one) => one.name), applied.spec?.replicas];
    },
  },
  {
    name: "an informer",
    async run(config) {
      const core = config.makeApiClient(CoreV1Api);
      const seen: string[] = [];
      const path = `/api/v1/namespaces/${namespace}/secrets`;
      const informer = makeInformer(config, path, () => core.listNamespacedSecret({ namespace }));
      for (const event of ["add", "update", "delete"] as const) {
        informer.on(event, (object) => seen.push(`${event} ${object.metadata?.name}`));
      }
      await core.createNamespacedSecret({ namespace, body: { metadata: { name: "before" } } });
      await informer.start();
      const body = { metadata: { name: "live" }, stringData: { a: "b" } };
      const made = await core.createNamespacedSecret({ namespace, body });
      await core.replaceNamespacedSecret({
        namespace,
        name: "live",
        body: { ...made, metadata: { ...made.metadata, labels: { a: "b" } } },
      });
      await core.deleteNamespacedSecret({ namespace, name: "live" });
      await until(() => seen.includes("delete live"), { reason: "the deletion was seen", ...WAIT });
      await informer.stop();
      return seen;
    },
  },
  {
    name: "a watch from a resource version",
    async run(config) {
      const core = config.makeApiClient(CoreV1Api);
      const { metadata } = await core.listNamespacedService({ namespace });
      const service = (name: string) => ({ metadata: { name }, spec: { ports: [{ port: 80 }] } });
      await core.createNamespacedService({ namespace, body: service("one") });
      await core.createNamespacedService({ namespace, body: service("two") });
      const seen: string[] = [];
      const options = { resourceVersion: metadata?.resourceVersion ?? "" };
      const path = `/api/v1/namespaces/${namespace}/services`;
      const onEvent = (phase: string, object: { metadata: { name: string } }) =>
        seen.push(`${phase} ${object.metadata.name}`);
      const request = await new Watch(config).watch(path, options, onEvent, () => {});
      await until(() => seen.length >= 2, { reason: "both were seen", ...WAIT });
      request.abort();
      return seen;
    },
  },
  {
    name: "objects of any kind, and typed errors",
    async run(config) {
      const any = KubernetesObjectApi.makeApiClient(config);
      const lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name: "l", namespace } };
      const made = await any.create(lease);
      const codes = await Promise.all([
        any.create(lease).then(() => 0, codeOf),
        any.read({ ...lease, metadata: { ...lease.metadata, name: "absent" } }).then(() => 0, codeOf),
        any.create({ ...lease, metadata: { ...lease.metadata, name: "Not Valid" } }).then(() => 0, codeOf),
      ]);
      return [made.kind, codes];
    },
  },
];

const codeOf = (error: unknown) => (error as { code?: number }).code;
