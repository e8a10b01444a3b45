// Plug-in `ResourceQuota`: nothing comes into a namespace beyond what its quotas allow. What is let in is charged at once.

import {
  addResources,
  growth,
  masked,
  printResources,
  type ResourceList,
  readResources,
  sameResources,
  withoutNothing,
  writeResources,
} from "../../amounts/resource-list.ts";
import { timestamp } from "../../api-context.ts";
import { trackUpdate } from "../../apply/managed-fields.ts";
import type { AdmissionAttributes, AdmissionPlugin, JsonObject, ObjectAccess } from "../../contract.ts";
import { objectAt, setOrDelete, stringAt } from "../../json.ts";
import type { Quantity } from "../../quantity.ts";
import { definition } from "../../schema/schema.ts";
import { refuse } from "../refuse.ts";
import { type Change, type Evaluator, evaluatorOf } from "./evaluators.ts";
import { scopesOf } from "./quota-scopes.ts";

interface Charge {
  readonly quota: JsonObject;
  readonly used: ResourceList;
}

export function resourceQuota(objects: ObjectAccess): AdmissionPlugin {
  return {
    name: "ResourceQuota",
    judges: true,
    async admit(attributes) {
      const { object, group, resource, namespace, operation, subresource, oldObject } = attributes;
      if (object === undefined || namespace === "" || (operation !== "CREATE" && operation !== "UPDATE")) return object;
      const evaluator = evaluatorOf(group, resource);
      const change: Change = { operation, subresource, object, oldObject };
      if (evaluator?.handles(change) !== true) return object;
      const quotas = objects.list("", "resourcequotas", namespace);
      if (quotas.length === 0) return object;
      const charges = chargesOf(quotas, attributes, evaluator, change);
      if (!attributes.dryRun) for (const charge of charges) writeCharge(objects, charge);
      return object;
    },
  };
}

const hardOf = (quota: JsonObject) => readResources(objectAt(quota, "status", "hard"));
const usedOf = (quota: JsonObject) => readResources(objectAt(quota, "status", "used"));

/** Whether the quota counts the object at all. */
function isAbout(quota: JsonObject, evaluator: Evaluator, object: JsonObject): boolean {
  return (
    evaluator.matching([...hardOf(quota).keys()]).length > 0 &&
    scopesOf(quota).every((term) => evaluator.inScope(object, term))
  );
}

function chargesOf(
  quotas: readonly JsonObject[],
  attributes: AdmissionAttributes,
  evaluator: Evaluator,
  { operation, object, oldObject }: Change,
): Charge[] {
  const concerned = quotas.filter((quota) => isAbout(quota, evaluator, object));
  for (const quota of concerned) checkKnown(quota, attributes, evaluator);
  const now = Date.now();
  const usage = evaluator.usage(object, now);
  const negative = [...usage].filter(([, amount]) => amount.value < 0n).map(([name]) => name);
  if (negative.length > 0) {
    throw refuse(attributes, `quota usage is negative for resource(s): ${negative.sort().join(",")}`);
  }
  return concerned.flatMap((quota) => {
    const counted = operation === "UPDATE" && oldObject !== undefined && isAbout(quota, evaluator, oldObject);
    const more = withoutNothing(counted ? growth(usage, evaluator.usage(oldObject, now)) : usage);
    return more.size === 0 ? [] : chargeOf(quota, attributes, more);
  });
}

function checkKnown(quota: JsonObject, attributes: AdmissionAttributes, evaluator: Evaluator): void {
  const name = stringAt(quota, "metadata", "name");
  const own = evaluator.matching([...hardOf(quota).keys()]);
  const missing = evaluator.missing?.(own, attributes.object ?? {});
  if (missing !== undefined) throw refuse(attributes, `failed quota: ${name}: ${missing}`);
  const used = usedOf(quota);
  if (own.some((one) => !used.has(one))) {
    throw refuse(attributes, `status unknown for quota: ${name}, resources: ${own.sort().join(",")}`);
  }
}

function chargeOf(quota: JsonObject, attributes: AdmissionAttributes, more: ResourceList): Charge[] {
  const hard = hardOf(quota);
  const before = usedOf(quota);
  const requested = masked(more, hard.keys());
  const used = addResources(before, requested);
  const over = [...requested.keys()].filter((name) => amountOf(used, name) > amountOf(hard, name));
  if (over.length > 0 && attributes.subresource !== "status") {
    const text = (list: ResourceList) => printResources(masked(list, over));
    const name = stringAt(quota, "metadata", "name");
    const why = `exceeded quota: ${name}, requested: ${text(requested)}, used: ${text(before)}, limited: ${text(hard)}`;
    throw refuse(attributes, why);
  }
  return sameResources(used, before) ? [] : [{ quota, used }];
}

const amountOf = (list: ReadonlyMap<string, Quantity>, name: string): bigint => list.get(name)?.value ?? 0n;

/** Written as the server's own client writes it, on the status door. */
function writeCharge(objects: ObjectAccess, { quota, used }: Charge): void {
  const at = {
    group: "",
    resource: "resourcequotas",
    namespace: stringAt(quota, "metadata", "namespace"),
    name: stringAt(quota, "metadata", "name"),
  };
  objects.update(at, (current) => {
    const next: JsonObject = {
      ...current,
      status: { ...objectAt(current, "status"), used: writeResources(used) },
    };
    const metadata: JsonObject = { ...objectAt(current, "metadata") };
    const owners = trackUpdate(definition("io.k8s.api.core.v1.ResourceQuota"), current, next, {
      manager: "kube-apiserver",
      operation: "Update",
      apiVersion: "v1",
      subresource: "status",
      time: timestamp(Date.now()),
    });
    setOrDelete(metadata, "managedFields", owners);
    return { ...next, metadata };
  });
}
