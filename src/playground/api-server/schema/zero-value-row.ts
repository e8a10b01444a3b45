// What is generated of each struct of Kubernetes: how its empty fields are written.
import type { JsonValue } from "../contract.ts";

export interface ZeroValues {
  /** What stands in these fields when nobody set them. */
  readonly shown: Readonly<Record<string, JsonValue>>;
  /** Fields in which "", 0 and false mean nothing. */
  readonly dropped: readonly string[];
  /** Go's names of fields whose type is a text, number, list or map with a name of its own. */
  readonly types: Readonly<Record<string, string>>;
  /** Fields that Go's struct has by another struct, with the names of the structs between: `RuleWithOperations.Rule`. */
  readonly inside?: Readonly<Record<string, string>>;
}
