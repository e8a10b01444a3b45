// Who owns which field: metadata.managedFields, kept through updates and server-side apply.
import { badRequest } from "../api-errors.ts";
import { ApiStatusError, type JsonObject } from "../contract.ts";
import { objectAt, stringAt } from "../json.ts";
import type { Schema } from "../schema/schema.ts";
import { typeOf } from "./atoms.ts";
import type { Conflict } from "./conflicts.ts";
import { emptySet } from "./field-set.ts";
import { conflictsLeft, KUBECTL, withLastApplied } from "./last-applied.ts";
import { type FieldWriter, foldOldUpdaters, isReset, type Managers, readManagers, writeManagers } from "./managers.ts";
import { hasUnnamedItem } from "./unnamed-items.ts";
import { applyManagers, updateManagers, type Version, type Versions } from "./updater.ts";
import { typeFaults } from "./validate-typed.ts";

/** A kind that has one form in all its versions. */
export function oneVersion(schema: Schema, reset = emptySet()): Versions {
  const version: Version = { type: typeOf(schema), reset, show: (object) => object, read: (object) => object };
  return () => version;
}

/** managedFields after `writer` changed `before` (undefined when it made the object) into `after`. */
export function trackUpdate(
  schema: Schema | Versions,
  before: JsonObject | undefined,
  after: JsonObject,
  writer: FieldWriter,
): JsonObject[] {
  const versions = typeof schema === "function" ? schema : oneVersion(schema);
  const managers = managersOf(before, after, writer);
  // An object that nobody owned anything of when it was made, or of which all was given up, is not tracked again.
  if (managers.size === 0 && stringAt(before, "metadata", "uid") !== "") return [];
  try {
    if (!track(versions, managers, { before: before ?? {}, after, writer })) return [];
  } catch (thrown) {
    // An object that cannot be shown in the version of one of its managers is written all the same, and nobody's.
    if (thrown instanceof ApiStatusError) return [];
    throw thrown;
  }
  return writeManagers(managers);
}

/** What the client sends wins over what is there, as long as it makes sense; not through the side doors. */
function managersOf(before: JsonObject | undefined, after: JsonObject, writer: FieldWriter): Managers {
  const own = () => readManagers(before) ?? new Map();
  if (writer.subresource !== "") return own();
  if (isReset(after)) return new Map();
  const sent = readManagers(after);
  return sent === undefined || sent.size === 0 ? own() : sent;
}

/** False: no type fits the object, and Kubernetes forgets who owns what of it. */
function track(
  versions: Versions,
  managers: Managers,
  { before, after, writer }: { before: JsonObject; after: JsonObject; writer: FieldWriter },
): boolean {
  const own = versions(writer.apiVersion);
  if (own === undefined) return true;
  const change = { versions, own, before: bare(before), after: bare(after) };
  const isTyped = [change.before, change.after].every((object) => !hasUnnamedItem(own.type, own.show(object)));
  if (isTyped) updateManagers(managers, change, writer);
  foldOldUpdaters(managers);
  return isTyped;
}

/** managedFields themselves are nobody's and never compared. */
function bare(object: JsonObject): JsonObject {
  if (object["metadata"] === undefined) return object;
  const { managedFields: _, ...metadata } = objectAt(object, "metadata");
  return { ...object, metadata };
}

export interface ApplyResult {
  /** The merged object, still without managedFields. */
  readonly object: JsonObject;
  /** The live object had all of the configuration already. */
  readonly unchanged: boolean;
  /** managedFields once `object` is what is written. */
  readonly managedFields: JsonObject[];
}

export interface ApplyOptions {
  readonly writer: FieldWriter;
  readonly force: boolean;
  /** The object's kind, as Go prints it: `apps/v1, Kind=Deployment`. */
  readonly kind: string;
  /** What a new object is without anybody's doing. */
  readonly blank: JsonObject;
}

/**
 * Server-side apply of `config` onto `live`. Throws 400 or 500 for a configuration that is none, 409 with causes when
 * other managers own what would change.
 */
export function applyConfiguration(
  schema: Schema | Versions,
  live: JsonObject | undefined,
  config: JsonObject,
  { writer, force, kind, blank }: ApplyOptions,
): ApplyResult {
  const versions = typeof schema === "function" ? schema : oneVersion(schema);
  const own = versions(writer.apiVersion);
  if (own === undefined) throw badRequest(`no type for ${writer.apiVersion}`);
  const managers: Managers = readManagers(live) ?? new Map();
  if (managers.size === 0 && live !== undefined) {
    const first = { ...writer, manager: BEFORE_FIRST_APPLY, operation: "Update" } as const;
    track(versions, managers, { before: blank, after: live, writer: first });
  }
  checkConfiguration(config, own, kind);
  const before = bare(live ?? blank);
  const kubectl = writer.manager === KUBECTL;
  const counting = (conflicts: readonly Conflict[]) => (kubectl ? conflictsLeft(before, own, conflicts) : conflicts);
  const applied = applyManagers(managers, { versions, own, before }, { config, writer, force, counting });
  const object = applied.object ?? before;
  return {
    object: kubectl ? withLastApplied(object, config) : object,
    unchanged: applied.object === undefined && !kubectl,
    managedFields: writeManagers(managers),
  };
}

const BEFORE_FIRST_APPLY = "before-first-apply";

function checkConfiguration(config: JsonObject, { type }: Version, kind: string): void {
  if (Array.isArray(objectAt(config, "metadata")["managedFields"])) {
    throw badRequest("metadata.managedFields must be nil");
  }
  const faults = typeFaults(type, config);
  if (faults === undefined) return;
  const name = `${stringAt(config, "metadata", "namespace")}/${stringAt(config, "metadata", "name")}`;
  throw new ApiStatusError(500, "", `failed to create typed patch object (${name}; ${kind}): ${faults}`);
}
