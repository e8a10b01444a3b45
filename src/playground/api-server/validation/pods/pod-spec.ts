// The spec of a pod, alone or inside a template.
import type { FieldError } from "../../api-errors.ts";
import type { JsonObject, JsonValue } from "../../contract.ts";
import { arrayAt, isObject, numberAt, objectAt, objectsAt, stringAt } from "../../json.ts";
import { checkIp } from "../addresses.ts";
import {
  duplicate,
  forbidden,
  invalid,
  invalids,
  notFound,
  notSupported,
  oneOf,
  required,
  tooLong,
} from "../field-errors.ts";
import { dnsLabel, dnsSubdomain, dnsSubdomainWithUnderscore, inclusiveRange, qualifiedName } from "../formats.ts";
import { checkLabels } from "../label-selectors.ts";
import { checkRequirements } from "../resources.ts";
import { checkContainer, checkHostPorts, checkRestartRules, type PodContext } from "./containers.ts";
import { checkEphemeralContainers, checkInitContainers } from "./other-containers.ts";
import { checkLifecycle, checkProbes } from "./probes.ts";
import { checkAffinity, checkSpread, checkTolerations } from "./scheduling.ts";
import { checkAgainstContainers } from "./pod-resources.ts";
import { checkPodSecurity } from "./security.ts";
import { checkVolumes } from "./volumes.ts";
import { checkHostProcess, checkLinuxPod, checkWindowsPod, isWindows, visitContainers } from "./windows.ts";

export interface PodSpecRule {
  readonly path: string;
  /** Of a pod itself; undefined for a template. */
  readonly podName: string | undefined;
}

export function checkPodSpec(spec: JsonObject, { path, podName }: PodSpecRule): FieldError[] {
  const grace = numberAt(spec, "terminationGracePeriodSeconds");
  const volumes = checkVolumes(objectsAt(spec, "volumes"), { path: `${path}.volumes`, podName });
  const claims = objectsAt(spec, "resourceClaims").map((claim) => stringAt(claim, "name"));
  const hostUsers = spec["hostUsers"] !== false;
  const restartPolicy = stringAt(spec, "restartPolicy");
  const pod: PodContext = { volumes: volumes.good, claims, grace, restartPolicy, hostUsers };
  return [
    ...(grace === undefined ? [required(`${path}.terminationGracePeriodSeconds`)] : []),
    ...volumes.errors,
    ...checkClaims(`${path}.resourceClaims`, objectsAt(spec, "resourceClaims")),
    ...checkContainers(`${path}.containers`, objectsAt(spec, "containers"), pod),
    ...checkInitContainers(`${path}.initContainers`, spec, pod),
    ...checkEphemeralContainers(`${path}.ephemeralContainers`, spec, pod),
    ...checkPodResources(`${path}.resources`, spec, claims),
    ...checkHostNetwork(path, spec, podName !== undefined),
    ...oneOf(`${path}.restartPolicy`, restartPolicy, ["Always", "OnFailure", "Never"]),
    ...oneOf(`${path}.dnsPolicy`, stringAt(spec, "dnsPolicy"), DNS_POLICIES),
    ...checkLabels(`${path}.nodeSelector`, spec["nodeSelector"]),
    ...checkPodSecurity(`${path}.securityContext`, spec),
    ...checkAffinity(`${path}.affinity`, spec["affinity"]),
    ...checkDnsConfig(`${path}.dnsConfig`, spec),
    ...checkGates(path, spec),
    ...checkSpread(`${path}.topologySpreadConstraints`, objectsAt(spec, "topologySpreadConstraints")),
    ...checkHostProcess(path, spec),
    ...checkHostUsers(path, spec, hostUsers),
    ...checkHostNames(path, spec),
    ...checkReferences(path, spec),
    ...checkTail(path, spec),
  ];
}

const DNS_POLICIES = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];

function checkContainers(path: string, containers: readonly JsonObject[], pod: PodContext): FieldError[] {
  if (containers.length === 0) return [required(path)];
  const names = new Set<string>();
  const errors = containers.flatMap((container, index) => {
    const at = `${path}[${index}]`;
    const name = stringAt(container, "name");
    const own = checkContainer(at, container, pod);
    if (names.has(name)) own.push(duplicate(`${at}.name`, name));
    names.add(name);
    own.push(...checkLifecycle(`${at}.lifecycle`, container["lifecycle"], pod.grace));
    return [...own, ...checkProbes(at, container), ...checkRestartRules(at, container)];
  });
  return [...errors, ...checkHostPorts(path, containers)];
}

function checkClaims(path: string, claims: readonly JsonObject[]): FieldError[] {
  const seen = new Set<string>();
  return claims.flatMap((claim, index) => {
    const [at, name] = [`${path}[${index}]`, stringAt(claim, "name")];
    const [direct, template] = [claim["resourceClaimName"], claim["resourceClaimTemplateName"]];
    const errors: FieldError[] = [];
    if (name === "") errors.push(required(`${at}.name`));
    else if (seen.has(name)) errors.push(duplicate(`${at}.name`, name));
    else errors.push(...invalids(`${at}.name`, name, dnsLabel(name)));
    seen.add(name);
    const shown = { Name: name, ResourceClaimName: direct ?? null, ResourceClaimTemplateName: template ?? null };
    if (direct !== undefined && template !== undefined)
      errors.push(
        invalid(at, shown, "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"),
      );
    if (direct === undefined && template === undefined)
      errors.push(invalid(at, shown, "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"));
    return [
      ...errors,
      ...checkName(at, claim, "resourceClaimName"),
      ...checkName(at, claim, "resourceClaimTemplateName"),
    ];
  });
}

/** A field that names another object, when it is there. */
function checkName(path: string, object: JsonObject, field: string): FieldError[] {
  const name = object[field];
  return typeof name === "string" ? invalids(`${path}.${field}`, name, dnsSubdomain(name)) : [];
}

function checkPodResources(path: string, spec: JsonObject, claims: readonly string[]): FieldError[] {
  const resources = spec["resources"];
  if (!isObject(resources)) return [];
  if (isWindows(spec)) return [forbidden(path, "may not be set for a windows pod")];
  const errors = Array.isArray(resources["claims"])
    ? [forbidden(`${path}.claims`, "claims may not be set for Resources at pod-level")]
    : [];
  return [
    ...errors,
    ...checkRequirements(path, resources, { claims, ofPod: true }),
    ...checkAgainstContainers(path, spec, resources),
  ];
}

function checkHostNetwork(path: string, spec: JsonObject, isPod: boolean): FieldError[] {
  if (spec["hostNetwork"] !== true) return [];
  return objectsAt(spec, "containers").flatMap((container, at) =>
    objectsAt(container, "ports").flatMap((port, index) => {
      const host = numberAt(port, "hostPort") ?? 0;
      if ((!isPod && host === 0) || host === (numberAt(port, "containerPort") ?? 0)) return [];
      const field = `${path}.containers[${at}].ports[${index}].hostPort`;
      return [invalid(field, host, "must match `containerPort` when `hostNetwork` is true")];
    }),
  );
}

function checkDnsConfig(path: string, spec: JsonObject): FieldError[] {
  const config = spec["dnsConfig"];
  const [servers, searches] = [arrayAt(config, "nameservers"), arrayAt(config, "searches").map(String)];
  if (spec["dnsPolicy"] === "None") {
    if (!isObject(config)) return [required(path, "must provide `dnsConfig` when `dnsPolicy` is None")];
    const why = "must provide at least one DNS nameserver when `dnsPolicy` is None";
    if (servers.length === 0) return [required(`${path}.nameservers`, why)];
  }
  const errors: FieldError[] = [];
  if (servers.length > 3) errors.push(invalid(`${path}.nameservers`, servers, "must not have more than 3 nameservers"));
  errors.push(...servers.flatMap((ip, index) => checkIp(`${path}.nameservers[${index}]`, String(ip))));
  if (searches.length > 32)
    errors.push(invalid(`${path}.searches`, searches, "must not have more than 32 search paths"));
  if (searches.join(" ").length > 2048) {
    const why = "must not have more than 2048 characters (including spaces) in the search list";
    errors.push(invalid(`${path}.searches`, searches, why));
  }
  for (const [index, search] of searches.entries()) {
    const name = search.replace(/\.$/, "");
    if (search !== ".") errors.push(...invalids(`${path}.searches[${index}]`, name, dnsSubdomainWithUnderscore(name)));
  }
  for (const [index, option] of objectsAt(config, "options").entries()) {
    if (stringAt(option, "name") === "") errors.push(required(`${path}.options[${index}]`, "must not be empty"));
  }
  return errors;
}

function checkGates(path: string, spec: JsonObject): FieldError[] {
  const seen = new Set<string>();
  return [
    ...objectsAt(spec, "readinessGates").flatMap((gate, index) => {
      const type = stringAt(gate, "conditionType");
      return invalids(`${path}.readinessGates[${index}].conditionType`, type, qualifiedName(type));
    }),
    ...objectsAt(spec, "schedulingGates").flatMap((gate, index) => {
      const [field, name] = [`${path}.schedulingGates[${index}]`, stringAt(gate, "name")];
      const errors = invalids(field, name, qualifiedName(name));
      if (seen.has(name)) errors.push(duplicate(field, name));
      seen.add(name);
      return errors;
    }),
  ];
}

function checkHostUsers(path: string, spec: JsonObject, hostUsers: boolean): FieldError[] {
  if (hostUsers) return [];
  const fields = { hostNetwork: "hostNetwork", hostPID: "HostPID", hostIPC: "HostIPC" };
  const why = "when `hostUsers` is false";
  return [
    ...Object.entries(fields).flatMap(([field, shown]) =>
      spec[field] === true ? [forbidden(`${path}.${shown}`, why)] : [],
    ),
    ...visitContainers(path, spec).flatMap(({ path: at, container }) =>
      objectsAt(container, "volumeDevices").length > 0 ? [forbidden(`${at}.volumeDevices`, why)] : [],
    ),
  ];
}

function checkHostNames(path: string, spec: JsonObject): FieldError[] {
  const name = spec["hostnameOverride"];
  const field = `${path}.hostnameOverride`;
  if (typeof name !== "string") return [];
  const errors: FieldError[] = [];
  if (spec["setHostnameAsFQDN"] === true)
    errors.push(forbidden(field, "may not be specified when setHostnameAsFQDN is true"));
  if (spec["hostNetwork"] === true) errors.push(forbidden(field, "may not be specified when hostNetwork is true"));
  if (name.length > 64) errors.push(tooLong(field, 64));
  return [...errors, ...invalids(field, name, dnsSubdomain(name))];
}

const MAX_INT32 = 2_147_483_647;

function checkReferences(path: string, spec: JsonObject): FieldError[] {
  const text = (field: string, format: (value: string) => string[]) => {
    const value = stringAt(spec, field);
    return value === "" ? [] : invalids(`${path}.${field}`, value, format(value));
  };
  const deadline = spec["activeDeadlineSeconds"];
  const bad = typeof deadline === "number" && (deadline < 1 || deadline > MAX_INT32);
  return [
    ...text("serviceAccountName", dnsSubdomain),
    ...text("nodeName", dnsSubdomain),
    ...(bad ? [invalid(`${path}.activeDeadlineSeconds`, deadline, inclusiveRange(1, MAX_INT32))] : []),
    ...text("hostname", dnsLabel),
    ...text("subdomain", dnsLabel),
    ...checkTolerations(`${path}.tolerations`, objectsAt(spec, "tolerations")),
    ...objectsAt(spec, "hostAliases").flatMap((alias, index) => checkAlias(`${path}.hostAliases[${index}]`, alias)),
    ...text("priorityClassName", dnsSubdomain),
    ...checkName(path, spec, "runtimeClassName"),
  ];
}

function checkAlias(path: string, alias: JsonObject): FieldError[] {
  return [
    ...checkIp(`${path}.ip`, stringAt(alias, "ip")),
    ...arrayAt(alias, "hostnames").flatMap((name, index) =>
      invalids(`${path}.hostnames[${index}]`, name, dnsSubdomain(String(name))),
    ),
  ];
}

export function checkPreemption(field: string, policy: JsonValue | undefined): FieldError[] {
  return policy === undefined ? [] : oneOf(field, String(policy), ["PreemptLowerPriority", "Never"]);
}

function checkTail(path: string, spec: JsonObject): FieldError[] {
  const overhead = spec["overhead"];
  const limits = isObject(overhead) ? { limits: overhead } : undefined;
  return [
    ...checkPreemption(`${path}.preemptionPolicy`, spec["preemptionPolicy"]),
    ...(limits === undefined ? [] : checkRequirements(`${path}.overhead`, limits, { claims: [] })),
    ...checkOs(path, spec),
    ...checkFileVolumes(path, spec),
  ];
}

function checkOs(path: string, spec: JsonObject): FieldError[] {
  if (!isObject(spec["os"])) return [];
  const name = stringAt(spec, "os", "name");
  if (name === "") return [required(`${path}.os.name`)];
  if (name !== "linux" && name !== "windows") return [notSupported(`${path}.os`, name, ["linux", "windows"])];
  return name === "linux" ? checkLinuxPod(path, spec) : checkWindowsPod(path, spec);
}

function checkFileVolumes(path: string, spec: JsonObject): FieldError[] {
  const volumes = new Map(objectsAt(spec, "volumes").map((volume) => [stringAt(volume, "name"), volume]));
  return ["initContainers", "containers", "ephemeralContainers"].flatMap((list) =>
    objectsAt(spec, list).flatMap((container, at) =>
      objectsAt(container, "env").flatMap((variable, index) => {
        const reference = objectAt(variable, "valueFrom")["fileKeyRef"];
        if (!isObject(reference)) return [];
        const name = stringAt(reference, "volumeName");
        const field = `${path}.${list}[${at}].env[${index}].valueFrom.fileKeyRef.volumeName`;
        const volume = volumes.get(name);
        if (volume === undefined) return [notFound(field, name)];
        if (isObject(volume["emptyDir"])) return [];
        return [invalid(field, name, "referenced volume must be of type emptyDir")];
      }),
    ),
  );
}
