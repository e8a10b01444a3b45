// What every new pod gets from the cluster beside its identity: a priority, and patience with nodes in trouble.
import type { AdmissionAttributes, AdmissionPlugin, JsonObject, ObjectAccess } from "../contract.ts";
import { numberAt, objectAt, objectsAt, stringAt } from "../json.ts";
import { refuse } from "./refuse.ts";

/** Seconds that a pod stays on a node that is not ready or out of reach, unless it says otherwise itself. */
const TOLERATED_SECONDS = 300;
const TROUBLES = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];
/** Classes that exist without an object. */
const SYSTEM_PRIORITIES: Readonly<Record<string, number>> = {
  "system-cluster-critical": 2_000_000_000,
  "system-node-critical": 2_000_001_000,
};

/** Plug-in `DefaultTolerationSeconds`. */
export function defaultTolerationSeconds(): AdmissionPlugin {
  return {
    name: "DefaultTolerationSeconds",
    async admit({ group, resource, subresource, operation, object }) {
      const isPod = group === "" && resource === "pods" && subresource === "";
      if (!isPod || object === undefined || (operation !== "CREATE" && operation !== "UPDATE")) return object;
      const spec = objectAt(object, "spec");
      const tolerations = objectsAt(spec, "tolerations");
      const missing = TROUBLES.filter((trouble) => !tolerations.some((toleration) => covers(toleration, trouble)));
      if (missing.length === 0) return object;
      const added = missing.map((key) => ({
        key,
        operator: "Exists",
        effect: "NoExecute",
        tolerationSeconds: TOLERATED_SECONDS,
      }));
      return { ...object, spec: { ...spec, tolerations: [...tolerations, ...added] } };
    },
  };
}

function covers(toleration: JsonObject, trouble: string): boolean {
  const key = stringAt(toleration, "key");
  const effect = stringAt(toleration, "effect");
  return (key === trouble || key === "") && (effect === "NoExecute" || effect === "");
}

/** Plug-in `Priority`: the number behind `priorityClassName`, or of the class that is everybody's default. */
export function priorityAdmission(objects: ObjectAccess): AdmissionPlugin {
  return {
    name: "Priority",
    async admit(attributes) {
      const { group, resource, subresource, operation, object, oldObject } = attributes;
      if (object === undefined || group !== "" || resource !== "pods" || subresource !== "") return object;
      if (operation === "CREATE")
        return { ...object, spec: withPriority(objects, attributes, objectAt(object, "spec")) };
      if (operation !== "UPDATE") return object;
      // A pod keeps what it was given; that it may not change is found later.
      const old = objectAt(oldObject, "spec");
      const kept = ["priority", "preemptionPolicy"].flatMap((field) =>
        old[field] === undefined ? [] : [[field, old[field]] as const],
      );
      return { ...object, spec: { ...Object.fromEntries(kept), ...objectAt(object, "spec") } };
    },
  };
}

function withPriority(objects: ObjectAccess, attributes: AdmissionAttributes, spec: JsonObject): JsonObject {
  const className = stringAt(spec, "priorityClassName") || globalDefault(objects);
  const found = className === "" ? { value: 0, policy: "PreemptLowerPriority" } : classNamed(objects, className);
  if (found === undefined) throw refuse(attributes, `no PriorityClass with name ${className} was found`);
  const computed = "priority admission controller computed";
  const given = numberAt(spec, "priority");
  if (given !== undefined && given !== found.value) {
    const why = `the integer value of priority (${given}) must not be provided in pod spec; ${computed} ${found.value} from the given PriorityClass name`;
    throw refuse(attributes, why);
  }
  const policy = stringAt(spec, "preemptionPolicy");
  if (policy !== "" && policy !== found.policy) {
    const why = `the string value of PreemptionPolicy (${policy}) must not be provided in pod spec; ${computed} ${found.policy} from the given PriorityClass name`;
    throw refuse(attributes, why);
  }
  const named = className === "" ? {} : { priorityClassName: className };
  return { ...spec, ...named, priority: found.value, preemptionPolicy: found.policy };
}

function classNamed(objects: ObjectAccess, name: string): { value: number; policy: string } | undefined {
  const system = SYSTEM_PRIORITIES[name];
  if (system !== undefined) return { value: system, policy: "PreemptLowerPriority" };
  const found = objects.get("scheduling.k8s.io", "priorityclasses", "", name);
  if (found === undefined) return undefined;
  return {
    value: numberAt(found, "value") ?? 0,
    policy: stringAt(found, "preemptionPolicy") || "PreemptLowerPriority",
  };
}

function globalDefault(objects: ObjectAccess): string {
  const defaults = objects
    .list("scheduling.k8s.io", "priorityclasses")
    .filter((candidate) => candidate["globalDefault"] === true)
    .sort((a, b) => (numberAt(a, "value") ?? 0) - (numberAt(b, "value") ?? 0));
  return stringAt(defaults[0], "metadata", "name");
}

/** Plug-in `TaintNodesByCondition`: no pod comes to a new node before the node lifecycle controller has seen it ready. */
export function taintNewNodes(): AdmissionPlugin {
  const taint = { key: "node.kubernetes.io/not-ready", effect: "NoSchedule" };
  return {
    name: "TaintNodesByCondition",
    async admit({ group, resource, subresource, operation, object }) {
      const isNewNode = group === "" && resource === "nodes" && subresource === "" && operation === "CREATE";
      if (!isNewNode || object === undefined) return object;
      const spec = objectAt(object, "spec");
      const taints = objectsAt(spec, "taints");
      if (taints.some(({ key, effect }) => key === taint.key && effect === taint.effect)) return object;
      return { ...object, spec: { ...spec, taints: [...taints, taint] } };
    },
  };
}
