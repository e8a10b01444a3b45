// Annotations that said of a pod what fields say today: profiles of seccomp and AppArmor.
import type { FieldError } from "../../api-errors.ts";
import type { JsonObject, JsonValue } from "../../contract.ts";
import { isObject, objectAt, objectsAt, stringAt } from "../../json.ts";
import { forbidden, invalid } from "../field-errors.ts";
import { localPath } from "../paths.ts";
import { isWindows, visitContainers } from "./windows.ts";

const SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/";
const APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/";
const LOCALHOST = "localhost/";

const containerLists = ["containers", "initContainers", "ephemeralContainers"];

/** Of a pod or a template. */
export function checkProfileAnnotations(path: string, annotations: JsonObject, spec: JsonObject): FieldError[] {
  const pod = annotations[SECCOMP_POD];
  const names = new Set(containerLists.flatMap((list) => objectsAt(spec, list).map((one) => stringAt(one, "name"))));
  const entries = Object.entries(annotations).map(([key, value]) => [key, String(value)] as const);
  return [
    ...(typeof pod === "string" ? checkSeccomp(`${path}.${SECCOMP_POD}`, pod) : []),
    ...entries.flatMap(([key, value]) =>
      key.startsWith(SECCOMP_CONTAINER) ? checkSeccomp(`${path}.${key}`, value) : [],
    ),
    ...entries.flatMap(([key, value]) =>
      key.startsWith(APP_ARMOR)
        ? checkAppArmor(`${path}[${key}]`, value, names.has(key.slice(APP_ARMOR.length)) ? "" : key)
        : [],
    ),
  ];
}

function checkSeccomp(field: string, profile: string): FieldError[] {
  if (["runtime/default", "docker/default", "unconfined"].includes(profile)) return [];
  if (profile.startsWith(LOCALHOST)) return localPath(field, profile.slice(LOCALHOST.length));
  return [invalid(field, profile, "must be a valid seccomp profile")];
}

/** `missing`: the annotation, when there is no container of its name. */
function checkAppArmor(field: string, profile: string, missing: string): FieldError[] {
  const errors = missing === "" ? [] : [invalid(field, missing.slice(APP_ARMOR.length), "container not found")];
  const isKnown = ["", "runtime/default", "unconfined"].includes(profile) || profile.startsWith(LOCALHOST);
  if (!isKnown) errors.push(invalid(field, profile, `invalid AppArmor profile name: ${JSON.stringify(profile)}`));
  return errors;
}

interface Profile {
  readonly path: string;
  readonly field: JsonObject;
  readonly annotation: string;
  /** What messages call it. */
  readonly sort: "seccomp" | "apparmor";
}

/** Of a new pod: where annotation and field are both there, they say the same. */
export function checkProfilesMatch(pod: JsonObject): FieldError[] {
  const [spec, annotations] = [objectAt(pod, "spec"), objectAt(pod, "metadata", "annotations")];
  const profiles: Profile[] = [];
  const add = (path: string, sort: Profile["sort"], pair: readonly (JsonValue | undefined)[]) => {
    const [field, annotation] = pair;
    if (isObject(field) && typeof annotation === "string") profiles.push({ path, field, annotation, sort });
  };
  const context = objectAt(spec, "securityContext");
  const containers = visitContainers("spec", spec);
  add("spec.securityContext.seccompProfile", "seccomp", [context["seccompProfile"], annotations[SECCOMP_POD]]);
  for (const { path, container } of containers) {
    const said = annotations[`${SECCOMP_CONTAINER}${stringAt(container, "name")}`];
    const own = objectAt(container, "securityContext")["seccompProfile"];
    add(`${path}.securityContext.seccompProfile`, "seccomp", [own, said]);
  }
  for (const { path, container } of isWindows(spec) ? [] : containers) {
    const said = annotations[`${APP_ARMOR}${stringAt(container, "name")}`];
    const own = objectAt(container, "securityContext")["appArmorProfile"] ?? context["appArmorProfile"];
    add(`${path}.securityContext.appArmorProfile`, "apparmor", [own, said]);
  }
  return profiles.flatMap(checkMatch);
}

function checkMatch({ path, field, annotation, sort }: Profile): FieldError[] {
  const type = stringAt(field, "type");
  const differs = [forbidden(`${path}.type`, `${sort} type in annotation and field must match`)];
  if (type === "Unconfined") return annotation === "unconfined" ? [] : differs;
  if (type === "RuntimeDefault") {
    const isDefault = annotation === "runtime/default" || (sort === "seccomp" && annotation === "docker/default");
    return isDefault ? [] : differs;
  }
  if (type !== "Localhost") return [];
  if (!annotation.startsWith(LOCALHOST)) return differs;
  if (annotation.slice(LOCALHOST.length) === field["localhostProfile"]) return [];
  return [forbidden(`${path}.localhostProfile`, `${sort} profile in annotation and field must match`)];
}

/** The profile that an AppArmor annotation of a container means; undefined for one that says none. */
export function appArmorProfile(annotation: string): JsonObject | undefined {
  if (annotation === "unconfined") return { type: "Unconfined" };
  if (annotation === "runtime/default") return { type: "RuntimeDefault" };
  const local = annotation.startsWith(LOCALHOST) ? annotation.slice(LOCALHOST.length) : "";
  return local === "" ? undefined : { type: "Localhost", localhostProfile: local };
}

export const appArmorKey = (container: JsonObject) => `${APP_ARMOR}${stringAt(container, "name")}`;

export const hasAppArmorField = (container: JsonObject) =>
  isObject(objectAt(container, "securityContext")["appArmorProfile"]);
