// Init containers and ephemeral containers.
import type { FieldError } from "../../api-errors.ts";
import type { JsonObject } from "../../contract.ts";
import { deepEqual, objectsAt, stringAt } from "../../json.ts";
import { duplicate, forbidden, notFound } from "../field-errors.ts";
import { specDiff } from "../internal-form.ts";
import { checkContainer, checkHostPorts, checkImageSpaces, checkRestartRules, type PodContext } from "./containers.ts";
import { checkLifecycle, checkProbes } from "./probes.ts";

const LIFE = ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"];
const NO_LIFE = "may not be set for init containers without restartPolicy=Always";

export function checkInitContainers(path: string, spec: JsonObject, pod: PodContext): FieldError[] {
  const names = new Set(objectsAt(spec, "containers").map((container) => stringAt(container, "name")));
  return objectsAt(spec, "initContainers").flatMap((container, index) => {
    const at = `${path}[${index}]`;
    const name = stringAt(container, "name");
    const stays = container["restartPolicy"] === "Always";
    const errors = [...checkContainer(at, container, pod), ...checkInitRestart(at, container)];
    if (names.has(name)) errors.push(duplicate(`${at}.name`, name));
    else if (name !== "") names.add(name);
    errors.push(...checkHostPorts(path, [container]));
    if (stays)
      return [
        ...errors,
        ...checkLifecycle(`${at}.lifecycle`, container["lifecycle"], pod.grace),
        ...checkProbes(at, container),
      ];
    return [
      ...errors,
      ...LIFE.flatMap((field) => (container[field] === undefined ? [] : [forbidden(`${at}.${field}`, NO_LIFE)])),
    ];
  });
}

function checkInitRestart(path: string, container: JsonObject): FieldError[] {
  const rules = objectsAt(container, "restartPolicyRules");
  // Of rules without a policy only the policy is missed.
  if (container["restartPolicy"] === undefined)
    return checkRestartRules(path, { restartPolicyRules: rules.slice(0, 0) });
  if (container["restartPolicy"] !== "Always") return checkRestartRules(path, container);
  if (rules.length === 0) return [];
  const why = "restartPolicyRules are not allowed for init containers with restart policy Always";
  return [forbidden(`${path}.restartPolicyRules`, why)];
}

const NOT_EPHEMERAL = [
  "ports",
  "resources",
  "resizePolicy",
  "restartPolicy",
  "restartPolicyRules",
  "livenessProbe",
  "readinessProbe",
  "startupProbe",
  "lifecycle",
];
const REFUSED = "cannot be set for an Ephemeral Container";

export function checkEphemeralContainers(path: string, spec: JsonObject, pod: PodContext): FieldError[] {
  const others = new Set(
    [...objectsAt(spec, "containers"), ...objectsAt(spec, "initContainers")].map((one) => stringAt(one, "name")),
  );
  const names = new Set(others);
  return objectsAt(spec, "ephemeralContainers").flatMap((container, index) => {
    const at = `${path}[${index}]`;
    const [name, target] = [stringAt(container, "name"), stringAt(container, "targetContainerName")];
    const errors = checkContainer(at, container, pod);
    errors.push(...checkImageSpaces(path, [container]));
    if (names.has(name)) errors.push(duplicate(`${at}.name`, name));
    names.add(name);
    if (target !== "" && !others.has(target)) errors.push(notFound(`${at}.targetContainerName`, target));
    errors.push(
      ...NOT_EPHEMERAL.filter((field) => isSet(container, field)).map((field) => forbidden(`${at}.${field}`, REFUSED)),
    );
    for (const [mount, volume] of objectsAt(container, "volumeMounts").entries()) {
      for (const field of ["subPath", "subPathExpr"])
        if (stringAt(volume, field) !== "") errors.push(forbidden(`${at}.volumeMounts[${mount}].${field}`, REFUSED));
    }
    return errors;
  });
}

/** Resources are there, if empty, in every container. */
const isSet = (container: JsonObject, field: string) =>
  container[field] !== undefined && !(field === "resources" && deepEqual(container[field], {}));

/** They may be added, and stay then as they are. */
export function checkEphemeralUpdate(pod: JsonObject, old: JsonObject): FieldError[] {
  const next = new Map(objectsAt(pod, "spec", "ephemeralContainers").map((one) => [stringAt(one, "name"), one]));
  return objectsAt(old, "spec", "ephemeralContainers").flatMap((before) => {
    const name = stringAt(before, "name");
    const now = next.get(name);
    if (now !== undefined && deepEqual(now, before)) return [];
    const what = now === undefined ? "removed\n" : `changed\n${specDiff("EphemeralContainer", before, now)}`;
    return [forbidden("spec.ephemeralContainers", `existing ephemeral containers "${name}" may not be ${what}`)];
  });
}
