// An item of a keyed list that says none of its keys fits no type: of such an object nobody's fields are tracked.
import type { JsonValue } from "../contract.ts";
import { isObject } from "../json.ts";
import { resolve, type Schema } from "../schema/schema.ts";
import { formFor, keyDefault, type ListForm, type Type, typeOf } from "./atoms.ts";
import { itemEdge } from "./list-items.ts";

/** Whether some list inside a value has an item without a name. */
export function hasUnnamedItem(type: Type, value: JsonValue): boolean {
  if (typeof value !== "object" || value === null || !mayHold(type.schema)) return false;
  const form = formFor(type, value);
  if (form.kind === "list" && Array.isArray(value)) {
    const { keys, element } = form.list;
    if (keys !== undefined && keys.length > 0 && value.some((item) => "fault" in itemEdge(form.list, item)))
      return true;
    return value.some((item) => hasUnnamedItem(element, item));
  }
  if (form.kind !== "map" || !isObject(value)) return false;
  return Object.entries(value).some(([key, child]) => {
    const field = form.map.field(key);
    return field !== undefined && hasUnnamedItem(field.type, child);
  });
}

const known = new WeakMap<Schema, boolean>();

/** Most schemas have no list whose items may go without a name: their objects need no look. */
function mayHold(raw: Schema): boolean {
  const found = known.get(raw);
  if (found !== undefined) return found;
  // What contains itself is asked for while it is being found out.
  known.set(raw, false);
  const schema = resolve(raw) ?? {};
  const children = [...Object.values(schema.properties ?? {}), schema.items, schema.additionalProperties];
  const result =
    hasOptionalKeys(raw) || children.some((child) => typeof child === "object" && child !== null && mayHold(child));
  known.set(raw, result);
  return result;
}

function hasOptionalKeys(raw: Schema): boolean {
  if (resolve(raw)?.type !== "array") return false;
  const form = formFor(typeOf(raw), []);
  return form.kind === "list" && !isAlwaysNamed(form.list);
}

const isAlwaysNamed = (list: ListForm) =>
  list.keys === undefined || list.keys.length === 0 || list.keys.some((key) => keyDefault(list, key) !== undefined);
