// Security contexts of pods and containers.
import type { FieldError } from "../../api-errors.ts";
import type { JsonObject, JsonValue } from "../../contract.ts";
import { arrayAt, isObject, objectsAt, stringAt } from "../../json.ts";
import { duplicate, invalid, invalids, notSupported, required } from "../field-errors.ts";
import { userOrGroupId } from "../formats.ts";
import { localPath } from "../paths.ts";
import { checkWindowsOptions } from "./windows.ts";

function checkIds(path: string, context: JsonObject, fields: readonly string[]): FieldError[] {
  return fields.flatMap((field) => {
    const id = context[field];
    return typeof id === "number" ? invalids(`${path}.${field}`, id, userOrGroupId(id)) : [];
  });
}

const PROFILE_TYPES = ["Localhost", "RuntimeDefault", "Unconfined"];

function checkProfileType(path: string, type: string, owner: string): FieldError[] {
  if (type === "") return [required(`${path}.type`, `type is required when ${owner} is set`)];
  return PROFILE_TYPES.includes(type) ? [] : [notSupported(`${path}.type`, type, PROFILE_TYPES)];
}

function checkSeccomp(path: string, profile: JsonValue | undefined): FieldError[] {
  if (!isObject(profile)) return [];
  const [type, local] = [stringAt(profile, "type"), profile["localhostProfile"]];
  const errors = checkProfileType(path, type, "seccompProfile");
  const field = `${path}.localhostProfile`;
  if (type === "Localhost") {
    if (typeof local !== "string") return [...errors, required(field, "must be set when seccomp type is Localhost")];
    return [...errors, ...localPath(field, local)];
  }
  if (local === undefined) return errors;
  const shown = { Type: type, LocalhostProfile: local };
  return [...errors, invalid(field, shown, "can only be set when seccomp type is Localhost")];
}

export function checkAppArmor(path: string, profile: JsonValue | undefined): FieldError[] {
  if (!isObject(profile)) return [];
  const [type, local] = [stringAt(profile, "type"), profile["localhostProfile"]];
  const field = `${path}.localhostProfile`;
  if (type !== "Localhost") {
    const errors = checkProfileType(path, type, "appArmorProfile");
    if (errors.length > 0 || local === undefined) return errors;
    return [invalid(field, local, "can only be set when AppArmor type is Localhost")];
  }
  if (typeof local !== "string" || local === "")
    return [required(field, "must be set when AppArmor type is Localhost")];
  return local.trim() === local ? [] : [invalid(field, local, "must not be padded with whitespace")];
}

/** Go prints the whole context with this field. */
export function checkSecurityContext(path: string, context: JsonValue | undefined, hostUsers: boolean): FieldError[] {
  if (!isObject(context)) return [];
  const errors = checkIds(path, context, ["runAsUser", "runAsGroup"]);
  const mount = context["procMount"];
  if (mount !== undefined && mount !== "Default" && mount !== "Unmasked")
    errors.push(notSupported(`${path}.procMount`, mount, ["Default", "Unmasked"]));
  if (mount === "Unmasked" && hostUsers)
    errors.push(invalid(`${path}.procMount`, mount, "`hostUsers` must be false to use `Unmasked`"));
  errors.push(...checkSeccomp(`${path}.seccompProfile`, context["seccompProfile"]));
  if (context["allowPrivilegeEscalation"] === false) errors.push(...checkEscalation(path, context));
  errors.push(...checkWindowsOptions(`${path}.windowsOptions`, context["windowsOptions"]));
  return [...errors, ...checkAppArmor(`${path}.appArmorProfile`, context["appArmorProfile"])];
}

function checkEscalation(path: string, context: JsonObject): FieldError[] {
  const why = "cannot set `allowPrivilegeEscalation` to false and";
  const errors: FieldError[] = [];
  if (context["privileged"] === true)
    errors.push(invalid(path, shownContext(context), `${why} \`privileged\` to true`));
  if (arrayAt(context, "capabilities", "add").includes("CAP_SYS_ADMIN"))
    errors.push(invalid(path, shownContext(context), `${why} \`capabilities.Add\` CAP_SYS_ADMIN`));
  return errors;
}

const CONTEXT_FIELDS = [
  "capabilities",
  "privileged",
  "seLinuxOptions",
  "windowsOptions",
  "runAsUser",
  "runAsGroup",
  "runAsNonRoot",
  "readOnlyRootFilesystem",
  "allowPrivilegeEscalation",
  "procMount",
  "seccompProfile",
  "appArmorProfile",
];
const upper = (field: string) =>
  field === "seLinuxOptions" ? "SELinuxOptions" : (field[0] ?? "").toUpperCase() + field.slice(1);

const shownContext = (context: JsonObject) =>
  Object.fromEntries(
    CONTEXT_FIELDS.map((field) => {
      const value = context[field] ?? null;
      if (field !== "capabilities" || !isObject(value)) return [upper(field), value];
      return [upper(field), { Add: value["add"] ?? null, Drop: value["drop"] ?? null }];
    }),
  );

const SYSCTL = "([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
const sysctlPattern = new RegExp(`^${SYSCTL}$`);
const SYSCTL_GROUPS = [
  { flag: "hostNetwork", names: /^net\./ },
  { flag: "hostIPC", names: /^(kernel\.(shm|msg|sem)|fs\.mqueue\.)/ },
];

function checkSysctls(path: string, context: JsonObject, spec: JsonObject): FieldError[] {
  const seen = new Set<string>();
  return objectsAt(context, "sysctls").flatMap((sysctl, index) => {
    const [field, name] = [`${path}[${index}].name`, stringAt(sysctl, "name")];
    const errors: FieldError[] = [];
    if (name === "") errors.push(required(field));
    else if (name.length > 253 || !sysctlPattern.test(name))
      errors.push(invalid(field, name, `must have at most 253 characters and match regex ^${SYSCTL}$`));
    else if (seen.has(name)) errors.push(duplicate(field, name));
    seen.add(name);
    for (const { flag, names } of SYSCTL_GROUPS) {
      if (spec[flag] === true && names.test(name.replaceAll("/", ".")))
        errors.push(invalid(field, name, `may not be specified when '${flag}' is true`));
    }
    return errors;
  });
}

const CHOICES: Readonly<Record<string, readonly string[]>> = {
  fsGroupChangePolicy: ["Always", "OnRootMismatch"],
  supplementalGroupsPolicy: ["Merge", "Strict"],
  // The other one waits for a feature that is off.
  seLinuxChangePolicy: ["Recursive"],
};

function checkChoice(path: string, context: JsonObject, field: string): FieldError[] {
  const [value, supported] = [context[field], CHOICES[field] ?? []];
  return value === undefined || supported.includes(String(value))
    ? []
    : [notSupported(`${path}.${field}`, value, supported)];
}

export function checkPodSecurity(path: string, spec: JsonObject): FieldError[] {
  const context = isObject(spec["securityContext"]) ? spec["securityContext"] : {};
  return [
    ...checkIds(path, context, ["fsGroup", "runAsUser", "runAsGroup"]),
    ...arrayAt(context, "supplementalGroups").flatMap((id, index) =>
      invalids(`${path}.supplementalGroups[${index}]`, id, userOrGroupId(Number(id))),
    ),
    ...(spec["shareProcessNamespace"] === true && spec["hostPID"] === true
      ? [invalid(`${path}.shareProcessNamespace`, true, "ShareProcessNamespace and HostPID cannot both be enabled")]
      : []),
    ...checkSysctls(`${path}.sysctls`, context, spec),
    ...checkChoice(path, context, "fsGroupChangePolicy"),
    ...checkSeccomp(`${path}.seccompProfile`, context["seccompProfile"]),
    ...checkWindowsOptions(`${path}.windowsOptions`, context["windowsOptions"]),
    ...checkAppArmor(`${path}.appArmorProfile`, context["appArmorProfile"]),
    ...checkChoice(path, context, "supplementalGroupsPolicy"),
    ...checkChoice(path, context, "seLinuxChangePolicy"),
  ];
}
