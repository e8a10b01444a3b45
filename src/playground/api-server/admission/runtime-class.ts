// Plug-in `RuntimeClass`: what the runtime of a pod costs beside it, and on which nodes it is there.
import {
  type AdmissionAttributes,
  type AdmissionPlugin,
  ApiStatusError,
  type JsonObject,
  type ObjectAccess,
} from "../contract.ts";
import { deepEqual, numberAt, objectAt, objectsAt, stringAt } from "../json.ts";
import { nanoUnits } from "../quantity.ts";
import { refuse } from "./refuse.ts";

export function runtimeClassDefaults(objects: ObjectAccess): AdmissionPlugin {
  return {
    name: "RuntimeClass",
    async admit(attributes) {
      const { object } = attributes;
      if (object === undefined || !isNewPod(attributes)) return object;
      const runtimeClass = classOf(objects, attributes, object);
      if (runtimeClass === undefined) return object;
      const spec = objectAt(object, "spec");
      return {
        ...object,
        spec: withScheduling(withOverhead(spec, runtimeClass, attributes), runtimeClass, attributes),
      };
    },
  };
}

export function runtimeClassOverhead(objects: ObjectAccess): AdmissionPlugin {
  return {
    name: "RuntimeClass",
    judges: true,
    async admit(attributes) {
      const { object } = attributes;
      if (object === undefined || !isNewPod(attributes)) return object;
      const runtimeClass = classOf(objects, attributes, object);
      const own = objectAt(object, "spec")["overhead"];
      if (runtimeClass?.["overhead"] === undefined) {
        if (own === undefined) return object;
        throw refuse(attributes, "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead");
      }
      if (!sameAmounts(fixedOf(runtimeClass), objectAt(object, "spec", "overhead"))) throw refuse(attributes, MISMATCH);
      return object;
    },
  };
}

const MISMATCH = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";

const isNewPod = ({ group, resource, subresource, operation }: AdmissionAttributes) =>
  group === "" && resource === "pods" && subresource === "" && operation === "CREATE";

function classOf(objects: ObjectAccess, attributes: AdmissionAttributes, pod: JsonObject): JsonObject | undefined {
  const name = objectAt(pod, "spec")["runtimeClassName"];
  if (typeof name !== "string") return undefined;
  if (name === "") throw new ApiStatusError(500, "", "resource name may not be empty");
  const found = objects.get("node.k8s.io", "runtimeclasses", "", name);
  if (found === undefined) throw refuse(attributes, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`);
  return found;
}

const fixedOf = (runtimeClass: JsonObject) => objectAt(runtimeClass, "overhead", "podFixed");

function sameAmounts(a: JsonObject, b: JsonObject): boolean {
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => name in b && nanoUnits(a[name]) === nanoUnits(b[name]))
  );
}

function withOverhead(spec: JsonObject, runtimeClass: JsonObject, attributes: AdmissionAttributes): JsonObject {
  if (runtimeClass["overhead"] === undefined) return spec;
  const fixed = fixedOf(runtimeClass);
  const own = objectAt(spec, "overhead");
  if (Object.keys(own).length > 0 && !sameAmounts(fixed, own)) throw refuse(attributes, MISMATCH);
  return Object.keys(fixed).length === 0 ? spec : { ...spec, overhead: fixed };
}

function withScheduling(spec: JsonObject, runtimeClass: JsonObject, attributes: AdmissionAttributes): JsonObject {
  const scheduling = objectAt(runtimeClass, "scheduling");
  const selector = { ...objectAt(spec, "nodeSelector") };
  for (const [key, value] of Object.entries(objectAt(scheduling, "nodeSelector"))) {
    const own = selector[key];
    if (own !== undefined && own !== value) {
      const why = `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${String(value)}; pod.spec.nodeSelector[${key}] = ${String(own)}`;
      throw refuse(attributes, why);
    }
    selector[key] = value;
  }
  const own = objectsAt(spec, "tolerations");
  const more = objectsAt(scheduling, "tolerations");
  const tolerations = runtimeClass["scheduling"] === undefined ? own : merged(own, more);
  return {
    ...spec,
    ...(Object.keys(selector).length > 0 ? { nodeSelector: selector } : {}),
    ...(tolerations.length > 0 ? { tolerations } : {}),
  };
}

/** All of them but those that another one covers. */
function merged(first: readonly JsonObject[], second: readonly JsonObject[]): JsonObject[] {
  const all = [...first, ...second];
  const kept: JsonObject[] = [];
  for (const [index, toleration] of all.entries()) {
    const later = all.slice(index + 1).filter((one) => !deepEqual(one, toleration));
    if (![...kept, ...later].some((one) => covers(one, toleration))) kept.push(toleration);
  }
  return kept;
}

/** Whether `wide` tolerates all that `narrow` does. */
function covers(wide: JsonObject, narrow: JsonObject): boolean {
  if (deepEqual(wide, narrow)) return true;
  const exists = stringAt(wide, "operator") === "Exists";
  const key = stringAt(wide, "key");
  if (stringAt(narrow, "key") !== key && (key !== "" || !exists)) return false;
  const effect = stringAt(wide, "effect");
  if (effect !== "" && stringAt(narrow, "effect") !== effect) return false;
  return lastsAsLong(wide, narrow) && (exists || sameValue(wide, narrow));
}

function lastsAsLong(wide: JsonObject, narrow: JsonObject): boolean {
  const most = numberAt(wide, "tolerationSeconds");
  if (stringAt(wide, "effect") !== "NoExecute" || most === undefined) return true;
  return (numberAt(narrow, "tolerationSeconds") ?? Number.POSITIVE_INFINITY) <= most;
}

const sameValue = (wide: JsonObject, narrow: JsonObject) =>
  stringAt(narrow, "operator") === "Equal" && stringAt(narrow, "value") === stringAt(wide, "value");
