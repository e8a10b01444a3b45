import type { JsonObject } from "../contract.ts";
import { objectAt, stringAt } from "../json.ts";

/** Name of the class that an annotation calls the default: the newest, among those of one second the first by name. */
export function newestDefault(classes: readonly JsonObject[], annotations: readonly string[]): string | undefined {
  const names = (one: JsonObject) => stringAt(one, "metadata", "name");
  const born = (one: JsonObject) => stringAt(one, "metadata", "creationTimestamp");
  const [newest] = classes
    .filter((one) => annotations.some((key) => objectAt(one, "metadata", "annotations")[key] === "true"))
    .sort((a, b) => (born(a) === born(b) ? (names(a) < names(b) ? -1 : 1) : born(a) > born(b) ? -1 : 1));
  return newest === undefined ? undefined : names(newest);
}
