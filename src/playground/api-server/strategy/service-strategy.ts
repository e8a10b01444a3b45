// A Service that changes its type loses what the former type brought along, as far as the change leaves that untouched.
import type { JsonObject } from "../contract.ts";
import { deepEqual, numberAt, objectAt, objectsAt, stringAt } from "../json.ts";
import { isExternal, needsHealthCheck } from "../validation/services.ts";

const typeOf = (spec: JsonObject) => stringAt(spec, "type");
const hasNodePorts = (spec: JsonObject) => ["NodePort", "LoadBalancer"].includes(typeOf(spec));
const nodePorts = (spec: JsonObject) => objectsAt(spec, "ports").flatMap((port) => numberAt(port, "nodePort") || []);

interface Dependent {
  /** Whether a spec has use for it. */
  readonly needed: (spec: JsonObject) => boolean;
  readonly same: (spec: JsonObject, before: JsonObject) => boolean;
  readonly drop: (spec: JsonObject) => void;
}

const sameFields =
  (...fields: readonly string[]) =>
  (spec: JsonObject, before: JsonObject) =>
    fields.every((field) => deepEqual(spec[field], before[field]));

const dropFields =
  (...fields: readonly string[]) =>
  (spec: JsonObject) => {
    for (const field of fields) delete spec[field];
  };

const field = (needed: Dependent["needed"], ...names: readonly string[]): Dependent => ({
  needed,
  same: sameFields(...names),
  drop: dropFields(...names),
});

const isBalanced = (spec: JsonObject) => typeOf(spec) === "LoadBalancer";
const hasAddress = (spec: JsonObject) => typeOf(spec) !== "ExternalName";

const DEPENDENTS: readonly Dependent[] = [
  field(hasAddress, "clusterIP", "clusterIPs"),
  field(hasAddress, "ipFamilies"),
  field(hasAddress, "ipFamilyPolicy"),
  {
    needed: hasNodePorts,
    same: (spec, before) => nodePorts(spec).every((port) => nodePorts(before).includes(port)),
    drop: (spec) => {
      for (const port of objectsAt(spec, "ports")) delete port["nodePort"];
    },
  },
  field(needsHealthCheck, "healthCheckNodePort"),
  field(isBalanced, "allocateLoadBalancerNodePorts"),
  field(isBalanced, "loadBalancerClass"),
  field(isExternal, "externalTrafficPolicy"),
];

export function prepareServiceUpdate(service: JsonObject, old: JsonObject): void {
  const [spec, before] = [objectAt(service, "spec"), objectAt(old, "spec")];
  for (const { needed, same, drop } of DEPENDENTS) {
    if (needed(before) && !needed(spec) && same(spec, before)) drop(spec);
  }
  if (!isBalanced(spec)) service["status"] = { ...objectAt(service, "status"), loadBalancer: {} };
}
