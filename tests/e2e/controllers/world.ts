// What a scenario may do on one engine: the hands of a user with kubectl, inside a namespace of its own.
import { Kinds, type ResourceType } from "../../../src/api/kinds.ts";
import type { Pod } from "../../../src/api/kubernetes/gen/types.ts";
import type { KubeObject } from "../../../src/api/kubernetes/object.ts";
import { until } from "../../../src/base/until.ts";
import { type DeleteOptions, isNotFound, type KubeClient, KubeError } from "../../../src/kube/kube-client.ts";
import type { FakeNodes } from "./fake-node.ts";

/** An object as a user writes it; what a scenario reads of an answer it reads through `at`. */
export type Manifest = KubeObject & { readonly [field: string]: unknown };

export interface Scenario {
  /** Also the name of its namespace. */
  readonly name: string;
  /** Objects of the cluster that belong to it, `nodes/NAME`; compared too. */
  readonly clusterObjects?: readonly string[];
  /** Nodes are compared by name; otherwise which of them a pod is on does not count. */
  readonly comparesNodes?: boolean;
  /** How often an event came does not count: the number depends on how fast the machine is. */
  readonly looseEvents?: boolean;
  /** Waits long for one of the engines: begins first. */
  readonly slow?: boolean;
  /** What still differs on our controllers, or why its end is not certain: played only when NOT_YET is set. */
  readonly notYet?: string;
  run(world: World): Promise<void>;
}

export interface World {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly nodes: FakeNodes;
  /** Creates objects in their order, in the scenario's namespace when they are of a namespaced kind. */
  apply(...objects: readonly Manifest[]): Promise<void>;
  get<T extends KubeObject = Manifest>(type: ResourceType, name: string): Promise<T | undefined>;
  list<T extends KubeObject = Manifest>(type: ResourceType, labelSelector?: string): Promise<T[]>;
  /** Merge patch; of the named subresource when one is given. */
  patch(type: ResourceType, name: string, body: unknown, subresource?: string): Promise<void>;
  remove(type: ResourceType, name: string, options?: DeleteOptions): Promise<void>;
  /** Waits until the field of the object has the value; equality of JSON. */
  reaches(type: ResourceType, name: string, path: string, value: unknown): Promise<void>;
  /** Waits until so many pods carry the label and, when given, hold the condition. */
  pods(labelSelector: string, count: number, holds?: (pod: Pod) => boolean): Promise<Pod[]>;
  gone(type: ResourceType, name: string): Promise<void>;
  until<T>(reason: string, look: () => Promise<T | undefined | false>): Promise<T>;
  /** Waits until the controllers have looked at the latest of the object and its status says so. */
  observed(type: ResourceType, name: string): Promise<void>;
}

const TIMEOUT_MS = Number(process.env["SCENARIO_TIMEOUT_MS"] ?? 120_000);

export function createWorld(client: KubeClient, nodes: FakeNodes, namespace: string): World {
  const at = (type: ResourceType, name: string) => (type.namespaced ? { namespace, name } : { name });
  const wait = <T>(reason: string, look: () => Promise<T | undefined | false>) =>
    until(look, { reason: `${namespace}: ${reason}`, timeoutMs: TIMEOUT_MS, intervalMs: 40 });
  const get = async <T extends KubeObject = Manifest>(type: ResourceType, name: string): Promise<T | undefined> => {
    try {
      return await client.get<T>(type, at(type, name));
    } catch (thrown) {
      if (isNotFound(thrown)) return undefined;
      throw thrown;
    }
  };
  const list = async <T extends KubeObject = Manifest>(type: ResourceType, labelSelector?: string) => {
    const options = { ...(type.namespaced ? { namespace } : {}), ...(labelSelector ? { labelSelector } : {}) };
    return (await client.list<T>(type, options)).items;
  };
  return {
    client,
    namespace,
    nodes,
    get,
    list,
    until: wait,
    async apply(...objects) {
      for (const object of objects) {
        const type = await kindOf(client, object);
        const placed = type.namespaced ? { ...object, metadata: { ...object.metadata, namespace } } : object;
        await client.create(type, placed);
      }
    },
    async patch(type, name, body, subresource) {
      const where = { ...at(type, name), ...(subresource === undefined ? {} : { subresource }) };
      for (;;) {
        try {
          await client.patch(type, where, body, { type: "merge" });
          return;
        } catch (thrown) {
          if (!(thrown instanceof KubeError && thrown.status === 409)) throw thrown;
        }
      }
    },
    remove: (type, name, options) => client.delete(type, at(type, name), options),
    async reaches(type, name, path, value) {
      let last: unknown;
      await wait(`${type.kind} ${name} ${path} is ${JSON.stringify(value)}`, async () => {
        last = valueAt(await get(type, name), path);
        return JSON.stringify(last) === JSON.stringify(value);
      });
    },
    pods: (labelSelector, count, holds = () => true) =>
      wait(`${count} pods ${labelSelector}`, async () => {
        const pods = (await list<Pod>(Kinds.Pod, labelSelector)).filter(holds);
        return pods.length === count && pods;
      }),
    async gone(type, name) {
      await wait(`${type.kind} ${name} is gone`, async () => (await get(type, name)) === undefined);
    },
    async observed(type, name) {
      await wait(`${type.kind} ${name} is observed`, async () => {
        const object = await get(type, name);
        return valueAt(object, "status.observedGeneration") === object?.metadata?.generation;
      });
    },
  };
}

export function valueAt(object: unknown, path: string): unknown {
  let value = object;
  for (const key of path.split(".")) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

async function kindOf(client: KubeClient, object: Manifest): Promise<ResourceType> {
  const { apiVersion = "", kind = "" } = object;
  const known = Object.values(Kinds).find((type) => type.kind === kind && apiVersion === "");
  return known ?? client.resourceType(apiVersion, kind);
}
