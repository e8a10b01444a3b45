// Where a custom resource keeps the numbers of its scale.
import { badRequest } from "../api-errors.ts";
import { ApiStatusError, type JsonObject, type JsonValue } from "../contract.ts";
import { ensureObject, isObject, valueAt } from "../json.ts";
import type { CustomKind } from "../resource-kind.ts";

/** Stands for replicas that nobody has set yet. */
const UNSET = -2147483648;

const stepsOf = (path: string) => path.split(".").filter((step) => step !== "");

/** Throws 500 where something else stands in their place. */
export function scaleOfCustom({ scale }: CustomKind, object: JsonObject) {
  const { specReplicasPath = "", statusReplicasPath = "", labelSelectorPath = "" } = scale ?? {};
  return {
    wanted: numberIn(object, specReplicasPath) ?? 0,
    there: numberIn(object, statusReplicasPath) ?? 0,
    selector: labelSelectorPath === "" ? "" : (textIn(object, labelSelectorPath) ?? ""),
  };
}

/** The scale before a change, in which unset replicas are told from none. */
export function withUnset({ scale }: CustomKind, object: JsonObject, shown: JsonObject): JsonObject {
  const set = numberIn(object, scale?.specReplicasPath ?? "") !== undefined;
  return set ? shown : { ...shown, spec: { replicas: UNSET } };
}

function numberIn(object: JsonObject, path: string): number | undefined {
  return typedIn(object, path, "int64") as number | undefined;
}

function textIn(object: JsonObject, path: string): string | undefined {
  return typedIn(object, path, "string") as string | undefined;
}

const GO_TYPES: Readonly<Record<string, string>> = { string: "string", boolean: "bool", number: "int64" };

function goType(value: JsonValue): string {
  if (value === null) return "<nil>";
  if (Array.isArray(value)) return "[]interface {}";
  if (typeof value === "number" && !Number.isInteger(value)) return "float64";
  return GO_TYPES[typeof value] ?? "map[string]interface {}";
}

function typedIn(object: JsonObject, path: string, wanted: string): JsonValue | undefined {
  const steps = stepsOf(path);
  const shown = `.${steps.join(".")}`;
  for (let depth = 1; depth < steps.length; depth++) {
    const parent = valueAt(object, ...steps.slice(0, depth));
    if (parent === undefined) return undefined;
    if (!isObject(parent)) throw accessor(shown, parent, "map[string]interface {}");
  }
  const value = valueAt(object, ...steps);
  if (value === undefined) return undefined;
  if (goType(value) !== wanted) throw accessor(shown, value, wanted);
  return value;
}

function accessor(path: string, value: JsonValue, wanted: string): ApiStatusError {
  const text = value === null ? "<nil>" : typeof value === "object" ? JSON.stringify(value) : String(value);
  return new ApiStatusError(
    500,
    "",
    `${path} accessor error: ${text} is of the type ${goType(value)}, expected ${wanted}`,
  );
}

/** Throws 400 when a change left them unset. */
export function writeCustomReplicas({ scale }: CustomKind, object: JsonObject, replicas: number): void {
  const path = scale?.specReplicasPath ?? "";
  if (replicas === UNSET) throw badRequest(`the spec replicas field ${JSON.stringify(path)} cannot be empty`);
  const steps = stepsOf(path);
  const parent = steps.slice(0, -1).reduce((at, step) => ensureObject(at, step), object);
  parent[steps.at(-1) ?? "replicas"] = replicas;
}
