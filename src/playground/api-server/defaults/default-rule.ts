// Defaults as data: for each definition of Kubernetes' description, the fields that the server fills in when they are
// absent. A function sees the object around the field and answers undefined where there is no default.
import type { JsonObject, JsonValue } from "../contract.ts";

export type DefaultValue = JsonValue | ((around: JsonObject) => JsonValue | undefined);
/** By full definition name, then by field. Fields are filled in the order in which they stand. */
export type DefaultTable = Readonly<Record<string, Readonly<Record<string, DefaultValue>>>>;
