// Where a container wants its pod's volumes.
import type { FieldError } from "../../api-errors.ts";
import type { JsonObject } from "../../contract.ts";
import { isObject, objectsAt, stringAt, valueAt } from "../../json.ts";
import { forbidden, invalid, notFound, notSupported, required } from "../field-errors.ts";
import { localPath, noBacksteps } from "../paths.ts";

type Volumes = ReadonlyMap<string, JsonObject>;

const PROPAGATIONS = ["Bidirectional", "HostToContainer", "None"];
const RECURSIVE = ["Disabled", "Enabled", "IfPossible"];

export function checkVolumeMounts(path: string, container: JsonObject, volumes: Volumes): FieldError[] {
  const devices = objectsAt(container, "volumeDevices");
  const seen = new Set<string>();
  const privileged = valueAt(container, "securityContext", "privileged") === true;
  return objectsAt(container, "volumeMounts").flatMap((mount, index) => {
    const at = `${path}[${index}]`;
    const [name, target] = [stringAt(mount, "name"), stringAt(mount, "mountPath")];
    const errors: FieldError[] = name === "" ? [required(`${at}.name`)] : [];
    if (!volumes.has(name)) errors.push(notFound(`${at}.name`, name));
    if (target === "") errors.push(required(`${at}.mountPath`));
    if (seen.has(target)) errors.push(invalid(`${at}.mountPath`, target, "must be unique"));
    seen.add(target);
    if (devices.some((device) => stringAt(device, "name") === name))
      errors.push(invalid(`${at}.name`, name, "must not already exist in volumeDevices"));
    if (devices.some((device) => stringAt(device, "devicePath") === target))
      errors.push(invalid(`${at}.mountPath`, target, "must not already exist as a path in volumeDevices"));
    return [...errors, ...checkSubPaths(path, at, mount), ...checkPropagation(path, mount, privileged)];
  });
}

function checkSubPaths(path: string, at: string, mount: JsonObject): FieldError[] {
  const [plain, expression] = [stringAt(mount, "subPath"), stringAt(mount, "subPathExpr")];
  const errors = plain === "" ? [] : localPath(`${path}.subPath`, plain);
  if (expression === "") return errors;
  if (plain !== "")
    errors.push(invalid(`${at}.subPathExpr`, expression, "subPathExpr and subPath are mutually exclusive"));
  return [...errors, ...localPath(`${path}.subPathExpr`, expression)];
}

function checkPropagation(path: string, mount: JsonObject, privileged: boolean): FieldError[] {
  const [mode, recursive] = [mount["mountPropagation"], mount["recursiveReadOnly"]];
  const errors: FieldError[] = [];
  const field = `${path}.mountPropagation`;
  if (mode !== undefined && !PROPAGATIONS.includes(String(mode))) errors.push(notSupported(field, mode, PROPAGATIONS));
  if (mode === "Bidirectional" && !privileged)
    errors.push(forbidden(field, "Bidirectional mount propagation is available only to privileged containers"));
  if (recursive === undefined || recursive === "Disabled") return errors;
  const own = `${path}.recursiveReadOnly`;
  if (!RECURSIVE.includes(String(recursive))) return [...errors, notSupported(own, recursive, RECURSIVE)];
  if (mount["readOnly"] !== true) errors.push(forbidden(own, "may only be specified when readOnly is true"));
  if (mode !== undefined && mode !== "None")
    errors.push(forbidden(own, "may only be specified when mountPropagation is None or not specified"));
  return errors;
}

export function checkVolumeDevices(path: string, container: JsonObject, volumes: Volumes): FieldError[] {
  const mounts = objectsAt(container, "volumeMounts");
  const [names, targets] = [new Set<string>(), new Set<string>()];
  return objectsAt(container, "volumeDevices").flatMap((device, index) => {
    const at = `${path}[${index}]`;
    const [name, target] = [stringAt(device, "name"), stringAt(device, "devicePath")];
    const errors = checkDeviceName(`${at}.name`, name, { volumes, names });
    if (target === "") errors.push(required(`${at}.devicePath`));
    if (targets.has(target)) errors.push(invalid(`${at}.devicePath`, target, "must be unique"));
    if (noBacksteps("", target).length > 0)
      errors.push(invalid(`${at}.devicePath`, target, "can not contain backsteps ('..')"));
    else targets.add(target);
    if (mounts.some((mount) => stringAt(mount, "name") === name))
      errors.push(invalid(`${at}.name`, name, "must not already exist in volumeMounts"));
    if (mounts.some((mount) => stringAt(mount, "mountPath") === target))
      errors.push(invalid(`${at}.devicePath`, target, "must not already exist as a path in volumeMounts"));
    return errors;
  });
}

function checkDeviceName(
  field: string,
  name: string,
  { volumes, names }: { readonly volumes: Volumes; readonly names: Set<string> },
): FieldError[] {
  const volume = volumes.get(name);
  const isBlock = isObject(volume?.["persistentVolumeClaim"]) || isObject(volume?.["ephemeral"]);
  const errors: FieldError[] = name === "" ? [required(field)] : [];
  if (names.has(name)) errors.push(invalid(field, name, "must be unique"));
  if (volume === undefined) errors.push(notFound(field, name));
  else if (!isBlock) {
    const why = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
    errors.push(invalid(field, name, why));
  }
  if (name !== "") names.add(name);
  return errors;
}
