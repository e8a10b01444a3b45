// Which of the names that a CustomResourceDefinition asks for it gets: the first who asks for a name in a group has it.
import type { JsonObject } from "../contract.ts";
import { arrayAt, deepEqual, objectAt, stringAt } from "../json.ts";
import { type Condition, conditionOf, withCondition } from "./definition-conditions.ts";

interface Taken {
  readonly resources: ReadonlySet<string>;
  readonly kinds: ReadonlySet<string>;
}

const namesOf = (definition: JsonObject) => objectAt(definition, "status", "acceptedNames");

function takenIn(definitions: readonly JsonObject[]): Taken {
  const names = definitions.map(namesOf);
  return {
    resources: new Set(
      names.flatMap((one) => [
        stringAt(one, "plural"),
        stringAt(one, "singular"),
        ...arrayAt(one, "shortNames").map(String),
      ]),
    ),
    kinds: new Set(names.flatMap((one) => [stringAt(one, "kind"), stringAt(one, "listKind")])),
  };
}

const ROWS = [
  ["plural", "PluralConflict", "resources"],
  ["singular", "SingularConflict", "resources"],
  ["shortNames", "ShortNamesConflict", "resources"],
  ["kind", "KindConflict", "kinds"],
  ["listKind", "ListKindConflict", "kinds"],
] as const;

/** The definition with the names it has now, and with what came of its wishes. `group` holds all of its group. */
export function withNames(definition: JsonObject, group: readonly JsonObject[], now: string): JsonObject {
  const wanted = objectAt(definition, "spec", "names");
  const had = namesOf(definition);
  if (deepEqual(wanted, had)) return definition;
  const taken = takenIn(group);
  const names: JsonObject = { ...had };
  let accepted: Condition = condition("NamesAccepted", "True", "NoConflicts", "no conflicts found");
  for (const [field, reason, of] of ROWS) {
    const conflicts = conflictsOf(listOf(wanted[field]), listOf(had[field]), taken[of]);
    if (conflicts.length > 0) accepted = condition("NamesAccepted", "False", reason, aggregate(conflicts));
    else if (wanted[field] === undefined) delete names[field];
    else names[field] = wanted[field];
  }
  if (wanted["categories"] === undefined) delete names["categories"];
  else names["categories"] = wanted["categories"];
  const named = { ...definition, status: { ...objectAt(definition, "status"), acceptedNames: names } };
  return withCondition(withCondition(named, accepted, now), establishedOf(definition, accepted), now);
}

const listOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.map(String) : typeof value === "string" ? [value] : [];

const conflictsOf = (wanted: readonly string[], had: readonly string[], taken: ReadonlySet<string>) =>
  wanted
    .filter((name) => !had.includes(name) && taken.has(name))
    .map((name) => `${JSON.stringify(name)} is already in use`);

const aggregate = (texts: readonly string[]) => (texts.length === 1 ? (texts[0] ?? "") : `[${texts.join(", ")}]`);

function condition(type: string, status: Condition["status"], reason: string, message: string): Condition {
  return { type, status, reason, message };
}

/** Established once is established for good. */
function establishedOf(definition: JsonObject, accepted: Condition): Condition {
  const old = conditionOf(definition, "Established");
  if (old?.["status"] === "True") return old as unknown as Condition;
  return accepted.status === "True"
    ? condition("Established", "False", "Installing", "the initial names have been accepted")
    : condition("Established", "False", "NotAccepted", "not all names are accepted");
}

/** The definition established, when its names are accepted and it is not yet. */
export function withEstablished(definition: JsonObject, now: string): JsonObject {
  const accepted = conditionOf(definition, "NamesAccepted")?.["status"] === "True";
  if (!accepted || conditionOf(definition, "Established")?.["status"] === "True") return definition;
  const established = condition("Established", "True", "InitialNamesAccepted", "the initial names have been accepted");
  return withCondition(definition, established, now);
}
