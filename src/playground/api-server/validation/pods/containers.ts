// What all containers of a pod have in common.
import type { FieldError } from "../../api-errors.ts";
import type { JsonObject } from "../../contract.ts";
import { isObject, numberAt, objectAt, objectsAt, stringAt } from "../../json.ts";
import { duplicate, invalid, invalids, notSupported, oneOf, required } from "../field-errors.ts";
import { configMapKey, dnsLabel, dnsSubdomain, environmentName, portName, portNumber } from "../formats.ts";
import { noBacksteps } from "../paths.ts";
import { checkRequirements } from "../resources.ts";
import { checkFieldRef, checkResourceFieldRef, ENVIRONMENT_FIELDS } from "./downward-api.ts";
import { checkPullPolicy } from "./pull-policy.ts";
import { checkSecurityContext } from "./security.ts";
import { checkVolumeDevices, checkVolumeMounts } from "./volume-mounts.ts";

/** What of the pod its containers are held against. */
export interface PodContext {
  readonly volumes: ReadonlyMap<string, JsonObject>;
  readonly claims: readonly string[];
  /** terminationGracePeriodSeconds */
  readonly grace: number | undefined;
  readonly restartPolicy: string;
  readonly hostUsers: boolean;
}

const PROTOCOLS = ["SCTP", "TCP", "UDP"];

export function checkContainer(path: string, container: JsonObject, pod: PodContext): FieldError[] {
  const name = stringAt(container, "name");
  const policy = stringAt(container, "terminationMessagePolicy");
  return [
    ...(name === "" ? [required(`${path}.name`)] : invalids(`${path}.name`, name, dnsLabel(name))),
    ...(stringAt(container, "image") === "" ? [required(`${path}.image`)] : []),
    ...oneOf(`${path}.terminationMessagePolicy`, policy, ["File", "FallbackToLogsOnError"]),
    ...checkPorts(`${path}.ports`, objectsAt(container, "ports")),
    ...objectsAt(container, "env").flatMap((variable, index) => checkVariable(`${path}.env[${index}]`, variable)),
    ...checkEnvFrom(`${path}.envFrom`, objectsAt(container, "envFrom")),
    ...checkVolumeMounts(`${path}.volumeMounts`, container, pod.volumes),
    ...checkVolumeDevices(`${path}.volumeDevices`, container, pod.volumes),
    ...checkPullPolicy(`${path}.imagePullPolicy`, stringAt(container, "imagePullPolicy")),
    ...checkRequirements(`${path}.resources`, objectAt(container, "resources"), { claims: pod.claims }),
    ...checkResizePolicy(`${path}.resizePolicy`, objectsAt(container, "resizePolicy"), pod.restartPolicy),
    ...checkSecurityContext(`${path}.securityContext`, container["securityContext"], pod.hostUsers),
  ];
}

function checkPorts(path: string, ports: readonly JsonObject[]): FieldError[] {
  const names = new Set<string>();
  return ports.flatMap((port, index) => {
    const at = `${path}[${index}]`;
    const [name, protocol] = [stringAt(port, "name"), stringAt(port, "protocol")];
    const number = numberAt(port, "containerPort") ?? 0;
    const host = numberAt(port, "hostPort") ?? 0;
    const errors = name === "" ? [] : invalids(`${at}.name`, name, portName(name));
    if (name !== "" && errors.length === 0) {
      if (names.has(name)) errors.push(duplicate(`${at}.name`, name));
      names.add(name);
    }
    if (number === 0) errors.push(required(`${at}.containerPort`));
    else errors.push(...invalids(`${at}.containerPort`, number, portNumber(number)));
    if (host !== 0) errors.push(...invalids(`${at}.hostPort`, host, portNumber(host)));
    return [...errors, ...oneOf(`${at}.protocol`, protocol, PROTOCOLS)];
  });
}

function checkVariable(path: string, variable: JsonObject): FieldError[] {
  const [name, from] = [stringAt(variable, "name"), variable["valueFrom"]];
  const errors = name === "" ? [required(`${path}.name`)] : invalids(`${path}.name`, name, environmentName(name));
  if (!isObject(from)) return errors;
  return [...errors, ...checkValueFrom(`${path}.valueFrom`, from, stringAt(variable, "value") !== "")];
}

type SourceRule = (path: string, source: JsonObject) => FieldError[];

const VALUE_SOURCES: Readonly<Record<string, SourceRule>> = {
  fieldRef: (path, source) => checkFieldRef(path, source, ENVIRONMENT_FIELDS),
  resourceFieldRef: (path, source) => checkResourceFieldRef(path, source, false),
  configMapKeyRef: checkKeySelector,
  secretKeyRef: checkKeySelector,
  fileKeyRef: checkFileKey,
};

function checkValueFrom(path: string, from: JsonObject, hasValue: boolean): FieldError[] {
  const errors: FieldError[] = [];
  let sources = 0;
  for (const [name, rule] of Object.entries(VALUE_SOURCES)) {
    const source = from[name];
    if (!isObject(source)) continue;
    sources++;
    errors.push(...rule(`${path}.${name}`, source));
  }
  const all = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`";
  if (sources === 0) errors.push(invalid(path, "", all));
  else if (hasValue) errors.push(invalid(path, "", "may not be specified when `value` is not empty"));
  else if (sources > 1) errors.push(invalid(path, "", "may not have more than one field specified at a time"));
  return errors;
}

function checkKeySelector(path: string, source: JsonObject): FieldError[] {
  const [name, key] = [stringAt(source, "name"), stringAt(source, "key")];
  return [
    ...invalids(`${path}.name`, name, dnsSubdomain(name)),
    ...(key === "" ? [required(`${path}.key`)] : invalids(`${path}.key`, key, configMapKey(key))),
  ];
}

function checkFileKey(path: string, source: JsonObject): FieldError[] {
  const [key, volume, at] = [stringAt(source, "key"), stringAt(source, "volumeName"), stringAt(source, "path")];
  return [
    ...(key === "" ? [required(`${path}.key`)] : invalids(`${path}.key`, key, environmentName(key))),
    ...(volume === "" ? [required(`${path}.volumeName`)] : invalids(`${path}.volumeName`, volume, dnsLabel(volume))),
    ...(at === "" ? [required(`${path}.path`)] : noBacksteps(`${path}.path`, at)),
  ];
}

function checkEnvFrom(path: string, sources: readonly JsonObject[]): FieldError[] {
  return sources.flatMap((source, index) => {
    const prefix = stringAt(source, "prefix");
    const errors = prefix === "" ? [] : invalids(`${path}[${index}].prefix`, prefix, environmentName(prefix));
    const given = ["configMapRef", "secretRef"].filter((name) => isObject(source[name]));
    for (const name of given) {
      const field = `${path}[${index}].${name}.name`;
      const object = stringAt(source, name, "name");
      if (object === "") errors.push(required(field));
      else errors.push(...invalids(field, object, dnsSubdomain(object.replace(/(?<=.)-$/, "a"))));
    }
    if (given.length === 0) errors.push(invalid(path, "", "must specify one of: `configMapRef` or `secretRef`"));
    if (given.length > 1) errors.push(invalid(path, "", "may not have more than one field specified at a time"));
    return errors;
  });
}

function checkResizePolicy(path: string, policies: readonly JsonObject[], podPolicy: string): FieldError[] {
  const seen = new Set<string>();
  return policies.flatMap((policy, index) => {
    const [name, restart] = [stringAt(policy, "resourceName"), stringAt(policy, "restartPolicy")];
    const errors = seen.has(name) ? [duplicate(`${path}[${index}]`, name)] : [];
    seen.add(name);
    errors.push(...oneOf(path, name, ["cpu", "memory"]));
    errors.push(...oneOf(path, restart, ["NotRequired", "RestartContainer"]));
    if (podPolicy === "Never" && restart !== "NotRequired")
      errors.push(invalid(path, restart, "must be 'NotRequired' when `restartPolicy` is 'Never'"));
    return errors;
  });
}

const RESTART_POLICIES = ["Always", "Never", "OnFailure"];

/** restartPolicy of a single container, and its rules. */
export function checkRestartRules(path: string, container: JsonObject): FieldError[] {
  const policy = container["restartPolicy"];
  const rules = objectsAt(container, "restartPolicyRules");
  const field = `${path}.restartPolicy`;
  const errors: FieldError[] = [];
  if (policy === undefined && rules.length > 0)
    errors.push(required(field, "must specify restartPolicy when restart rules are used"));
  if (policy !== undefined && !RESTART_POLICIES.includes(String(policy)))
    errors.push(notSupported(field, policy, RESTART_POLICIES));
  if (rules.length > 20)
    errors.push({
      field: `${path}.restartPolicyRules`,
      type: "FieldValueTooLong",
      detail: "may not be more than 20 bytes",
    });
  return [...errors, ...rules.flatMap((rule, index) => checkRestartRule(`${path}.restartPolicyRules[${index}]`, rule))];
}

function checkRestartRule(path: string, rule: JsonObject): FieldError[] {
  const codes = rule["exitCodes"];
  const errors =
    rule["action"] === "Restart" ? [] : [notSupported(`${path}.action`, stringAt(rule, "action"), ["Restart"])];
  if (!isObject(codes)) return [...errors, required(`${path}.exitCodes`, "must be specified")];
  const operator = stringAt(codes, "operator");
  if (operator !== "In" && operator !== "NotIn")
    errors.push(notSupported(`${path}.exitCodes.operator`, operator, ["In", "NotIn"]));
  return errors;
}

/** Host ports that two containers would share. */
export function checkHostPorts(path: string, containers: readonly JsonObject[]): FieldError[] {
  const seen = new Set<string>();
  return containers.flatMap((container, at) =>
    objectsAt(container, "ports").flatMap((port, index) => {
      if ((numberAt(port, "hostPort") ?? 0) === 0) return [];
      const key = `${stringAt(port, "protocol")}/${stringAt(port, "hostIP")}/${String(port["hostPort"])}`;
      if (seen.has(key)) return [duplicate(`${path}[${at}].ports[${index}].hostPort`, key)];
      seen.add(key);
      return [];
    }),
  );
}

/** Only a pod itself is this strict; templates were not at first and stay so. */
export function checkImageSpaces(path: string, containers: readonly JsonObject[]): FieldError[] {
  return containers.flatMap((container, index) => {
    const image = stringAt(container, "image");
    if (image === image.trim()) return [];
    return [invalid(`${path}[${index}].image`, image, "must not have leading or trailing whitespace")];
  });
}
