import { Kinds } from "../../../../src/api/kinds.ts";
import type { KubeObject } from "../../../../src/api/kubernetes/object.ts";
import type { Manifest, Scenario, World } from "../world.ts";
import { configMap } from "./manifests.ts";

const { ConfigMap, Secret } = Kinds;

const ownerOf = (kind: string, owner: KubeObject | undefined, more = {}) => ({
  apiVersion: "v1",
  kind,
  name: owner?.metadata?.name ?? "",
  uid: owner?.metadata?.uid ?? "",
  ...more,
});

async function ownedBy(world: World, name: string, ...owners: readonly string[]): Promise<Manifest> {
  const found = await Promise.all(owners.map((owner) => world.get(ConfigMap, owner)));
  return configMap(name, {
    ownerReferences: found.map((owner) => ownerOf("ConfigMap", owner, { blockOwnerDeletion: true })),
  });
}

export const garbageScenarios: readonly Scenario[] = [
  {
    name: "garbage-in-the-background",
    async run(world) {
      await world.apply(configMap("owner"));
      await world.apply(await ownedBy(world, "child", "owner"));
      await world.apply(await ownedBy(world, "grandchild", "child"), configMap("stranger"));
      await world.remove(ConfigMap, "owner", { propagationPolicy: "Background" });
      await world.gone(ConfigMap, "grandchild");
    },
  },
  {
    name: "garbage-in-the-foreground",
    async run(world) {
      await world.apply(configMap("owner"));
      await world.apply(await ownedBy(world, "child", "owner"));
      const held = await ownedBy(world, "held", "owner");
      await world.apply({ ...held, metadata: { ...held.metadata, finalizers: ["example.com/hold"] } });
      await world.remove(ConfigMap, "owner", { propagationPolicy: "Foreground" });
      await world.gone(ConfigMap, "child");
      await world.until(
        "held is being deleted",
        async () => (await world.get(ConfigMap, "held"))?.metadata?.deletionTimestamp,
      );
    },
  },
  {
    name: "garbage-foreground-to-the-end",
    async run(world) {
      await world.apply(configMap("owner"));
      await world.apply(await ownedBy(world, "child", "owner"));
      await world.apply(await ownedBy(world, "grandchild", "child"));
      await world.remove(ConfigMap, "owner", { propagationPolicy: "Foreground" });
      await world.gone(ConfigMap, "owner");
    },
  },
  {
    name: "garbage-orphans",
    async run(world) {
      await world.apply(configMap("owner"));
      await world.apply(await ownedBy(world, "child", "owner"));
      await world.remove(ConfigMap, "owner", { propagationPolicy: "Orphan" });
      await world.gone(ConfigMap, "owner");
    },
  },
  {
    name: "garbage-of-two-owners",
    async run(world) {
      await world.apply(configMap("first"), configMap("second"));
      await world.apply(await ownedBy(world, "child", "first", "second"));
      await world.remove(ConfigMap, "first", { propagationPolicy: "Background" });
      await world.until("one owner is left", async () => {
        return (await world.get(ConfigMap, "child"))?.metadata?.ownerReferences?.length === 1;
      });
    },
  },
  {
    name: "garbage-of-an-absent-owner",
    async run(world) {
      const ownerReferences = [
        { apiVersion: "v1", kind: "ConfigMap", name: "never", uid: "11111111-2222-3333-4444-555555555555" },
      ];
      await world.apply(configMap("child", { ownerReferences }));
      await world.gone(ConfigMap, "child");
    },
  },
  {
    name: "garbage-across-namespaces",
    looseEvents: true,
    async run(world) {
      const stranger = await world.client.get(ConfigMap, { namespace: "kube-system", name: "kube-root-ca.crt" });
      await world.apply(configMap("child", { ownerReferences: [ownerOf("ConfigMap", stranger)] }));
      await world.gone(ConfigMap, "child");
    },
  },
  {
    name: "garbage-of-a-cluster-object",
    async run(world) {
      const node = await world.client.get(Kinds.Node, { name: "node-a" });
      await world.apply(configMap("kept", { ownerReferences: [ownerOf("Node", node)] }));
      const ownerReferences = [{ ...ownerOf("Node", node), uid: "11111111-2222-3333-4444-555555555555" }];
      await world.apply(configMap("lost", { ownerReferences }));
      await world.gone(ConfigMap, "lost");
    },
  },
  {
    name: "garbage-of-custom-resources",
    slow: true,
    async run(world) {
      const group = "garbage.example.com";
      const crd = {
        apiVersion: "apiextensions.k8s.io/v1",
        kind: "CustomResourceDefinition",
        metadata: { name: `widgets.${group}` },
        spec: {
          group,
          names: { kind: "Widget", plural: "widgets", singular: "widget", listKind: "WidgetList" },
          scope: "Namespaced",
          versions: [
            {
              name: "v1",
              served: true,
              storage: true,
              schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
            },
          ],
        },
      };
      await world.apply(crd);
      const type = { group, version: "v1", kind: "Widget", plural: "widgets", namespaced: true };
      const widget = (name: string, more = {}): Manifest => ({
        apiVersion: `${group}/v1`,
        kind: "Widget",
        metadata: { name, namespace: world.namespace, ...more },
      });
      await world.until("widgets are served", () => world.client.create(type, widget("owner")).catch(() => undefined));
      const owner = await world.get(type, "owner");
      const ownerReferences = [{ ...ownerOf("Widget", owner), apiVersion: `${group}/v1` }];
      await world.apply(configMap("child", { ownerReferences }));
      await world.client.create(type, widget("child", { ownerReferences }));
      await world.client.create(type, widget("kept"));
      await world.remove(type, "owner", { propagationPolicy: "Background" });
      await world.gone(type, "child");
      await world.gone(ConfigMap, "child");
    },
  },
  {
    name: "garbage-of-other-kinds",
    async run(world) {
      await world.apply({ kind: "Secret", metadata: { name: "owner" } });
      const ownerReferences = [ownerOf("Secret", await world.get(Secret, "owner"))];
      await world.apply(
        { apiVersion: "v1", kind: "LimitRange", metadata: { name: "limits", ownerReferences }, spec: { limits: [] } },
        {
          apiVersion: "networking.k8s.io/v1",
          kind: "NetworkPolicy",
          metadata: { name: "policy", ownerReferences },
          spec: { podSelector: {} },
        },
        {
          apiVersion: "rbac.authorization.k8s.io/v1",
          kind: "Role",
          metadata: { name: "role", ownerReferences },
          rules: [],
        },
      );
      await world.remove(Secret, "owner", { propagationPolicy: "Background" });
      await world.gone(await world.client.resourceType("v1", "LimitRange"), "limits");
      await world.gone(await world.client.resourceType("networking.k8s.io/v1", "NetworkPolicy"), "policy");
      await world.gone(Kinds.Role, "role");
    },
  },
];
