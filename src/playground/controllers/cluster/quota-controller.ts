// Keeps `status` of ResourceQuotas: what is allowed, as the spec says it, and what is used, counted anew. The API server
// charges what it lets in; that something is gone, or has ended, is seen here.
import type { ResourceType } from "#api/kinds";
import { type KubeObject, objectKey } from "#api/kubernetes/object";
import { type Component, untilAborted } from "#base/component";
import { WorkQueue } from "#kube/work-queue";
import { countName, evaluatorOf } from "../../api-server/admission/quota/evaluators.ts";
import { readResources, sameResources, writeResources } from "../../api-server/amounts/resource-list.ts";
import type { JsonObject } from "../../api-server/contract.ts";
import { type ControllerContext, controllerComponent } from "../controller.ts";
import { fetchNamespacedTypes } from "../garbage/discovery.ts";
import { metadataOnly, ObjectCache } from "../objects/object-cache.ts";
import { identityOf, isBeingDeleted } from "../objects/object-meta.ts";
import { type CountedKind, usageOf } from "./quota-usage.ts";

interface ResourceQuota extends KubeObject {
  spec?: { hard?: Record<string, string> };
  status?: { hard?: Record<string, string>; used?: Record<string, string> };
}

const QUOTAS: ResourceType = {
  group: "",
  version: "v1",
  kind: "ResourceQuota",
  plural: "resourcequotas",
  namespaced: true,
};

/** Everything of these is read; of all others there is nothing to count but themselves. */
const WHOLE = new Set(["/pods", "/services", "/persistentvolumeclaims", "resource.k8s.io/resourceclaims"]);

/** What comes is charged by admission; that the charge is right is looked at when others had the time to be seen. */
const SETTLE_MS = 1000;

export function createQuotaController(context: ControllerContext): Component {
  const { caches, clock, logger } = context;
  const quotas = new ObjectCache<ResourceQuota>(QUOTAS, context);
  const touch = (object: KubeObject, later = false) => {
    for (const quota of quotas.inNamespace(identityOf(object).namespace)) {
      if (later) queue.addAfter(objectKey(quota), SETTLE_MS);
      else queue.add(objectKey(quota));
    }
  };
  const kinds = createCountedKinds(context, quotas, touch);
  const reconcile = async (key: string, signal: AbortSignal) => {
    const quota = quotas.getByKey(key);
    if (quota === undefined || isBeingDeleted(quota)) return;
    const hard = readResources(quota.spec?.hard ?? {});
    await kinds.follow([...hard.keys()], signal);
    const { status } = quota;
    const used = usageOf(asJson(quota), kinds.inNamespace(identityOf(quota).namespace), clock.now());
    const isSame =
      status?.hard !== undefined &&
      status.used !== undefined &&
      sameResources(hard, readResources(status.hard)) &&
      sameResources(used, readResources(status.used));
    if (isSame) return;
    const next = { hard: texts(writeResources(hard)), used: texts(writeResources(used)) };
    await quotas.replace({ ...quota, status: next }, "status");
  };
  const queue = new WorkQueue({ name: "resource-quota", clock, logger, reconcile });
  quotas.onChange(({ object, old, deleted }) => {
    const isSame = old !== undefined && JSON.stringify(object.spec) === JSON.stringify(old.spec);
    // What admission charges is not counted again: the object that it was charged for is not seen yet.
    if (!deleted && !isSame) queue.add(objectKey(object));
    if (deleted) touch(object);
  });
  const component = controllerComponent(queue, [quotas, ...Object.values(caches)]);
  return {
    ...component,
    async run(signal) {
      quotas.start(signal);
      await component.run(signal);
    },
  };
}

/** The shared caches, the quotas themselves, and a watch for each other kind that a quota names by `count/`. */
function createCountedKinds(
  context: ControllerContext,
  quotas: ObjectCache<ResourceQuota>,
  touch: (object: KubeObject, later?: boolean) => void,
) {
  const known = new Map<string, CountedCache>([[keyOf(QUOTAS), quotas]]);
  for (const cache of Object.values(context.caches)) {
    if (!cache.type.namespaced) continue;
    known.set(keyOf(cache.type), cache);
    const whole = WHOLE.has(keyOf(cache.type));
    cache.onChange(({ object, old, deleted }) => {
      if (deleted) touch(object);
      else if (old === undefined || whole) touch(object, true);
    });
  }
  const counts = ({ type }: CountedCache) => countName(type.group, type.plural);
  return {
    async follow(names: readonly string[], signal: AbortSignal): Promise<void> {
      const present = new Set([...known.values()].map(counts));
      const missing = names.filter((name) => name.startsWith("count/") && !present.has(name));
      if (missing.length === 0) return;
      for (const type of await fetchNamespacedTypes(context.client, signal)) {
        if (known.has(keyOf(type)) || !missing.includes(countName(type.group, type.plural))) continue;
        const cache = new ObjectCache<KubeObject>(type, context, WHOLE.has(keyOf(type)) ? undefined : metadataOnly);
        known.set(keyOf(type), cache);
        cache.onChange(({ object, deleted }) => touch(object, !deleted));
        cache.start(signal);
        await Promise.race([cache.synced, untilAborted(signal)]);
      }
    },
    inNamespace: (namespace: string): CountedKind[] =>
      [...known.values()].flatMap((cache) => {
        const evaluator = evaluatorOf(cache.type.group, cache.type.plural);
        return evaluator === undefined ? [] : [{ evaluator, objects: () => cache.inNamespace(namespace).map(asJson) }];
      }),
  };
}

interface CountedCache {
  readonly type: ResourceType;
  inNamespace(namespace: string): readonly KubeObject[];
}

const keyOf = ({ group, plural }: ResourceType) => `${group}/${plural}`;

/** An object of the API is plain JSON. */
const asJson = (object: KubeObject) => object as unknown as JsonObject;

const texts = (amounts: JsonObject): Record<string, string> =>
  Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, String(amount)]));
