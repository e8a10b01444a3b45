// The last steps that making and changing an object share: defaults, admission, validation.
import { type EngineParts, type Target, timestamp, type WriteContext } from "../api-context.ts";
import { type FieldError, invalid } from "../api-errors.ts";
import type { FieldWriter } from "../apply/managers.ts";
import { SCALE_VERSION } from "../apply/scale-owners.ts";
import type { AdmissionAttributes, JsonObject } from "../contract.ts";
import { checkResource } from "../crd/check-resource.ts";
import { whenConverted } from "../crd/convert-custom.ts";
import { defaultCustom, inForm } from "../crd/custom-form.ts";
import { applyDefaults } from "../defaults/apply-defaults.ts";
import { completeObject } from "../defaults/object-defaults.ts";
import { objectAt, objectsAt, stringAt } from "../json.ts";
import { apiVersionOf, parseApiVersion, type ResourceKind, storageKey } from "../resource-kind.ts";
import { asSent, completeStructs, completeZeroValues, type Emptied, zeroObject } from "../schema/zero-values.ts";
import { strategyOf } from "../strategy/strategies.ts";
import { checkAdminAccess } from "../validation/admin-access.ts";
import { checkBuiltin } from "../validation/check-builtin.ts";
import { decodeObject } from "../validation/decode-object.ts";
import { dnsSubdomain } from "../validation/formats.ts";
import { checkObjectMeta } from "../validation/object-meta.ts";
import { asKept, fromStorage, toStorage } from "./convert-version.ts";
import { datedOwners, ownedScale, readScale, withReplicas } from "./scale.ts";
import { settleOwners } from "./settle-owners.ts";

/** The kind in which objects are kept; the kind itself for all but a few. */
export function storageKindOf(parts: EngineParts, kind: ResourceKind): ResourceKind {
  // Custom resources are completed and checked in the version in which the client speaks.
  if (kind.custom !== undefined) return kind;
  return parts.registry.find(kind.storedAs.group, kind.storedAs.version, kind.plural) ?? kind;
}

/** Completes an object in place; tells what was sent empty and counts as none from here on. */
export function completeWithDefaults(parts: EngineParts, kind: ResourceKind, object: JsonObject): Emptied[] {
  if (kind.custom !== undefined) {
    defaultCustom(kind.custom.form, object);
    return [];
  }
  const emptied: Emptied[] = [];
  const stored = storageKindOf(parts, kind);
  completeStructs(stored.schema, object, stored.definition);
  applyDefaults(stored.schema, object, stored.definition);
  completeObject(object, stored.definition);
  completeZeroValues(stored.schema, object, stored.definition, emptied);
  return emptied;
}

/** What a new object of the kind is held against: nothing but what is there without anybody's doing. */
export function beforeCreation(kind: ResourceKind): JsonObject | undefined {
  return kind.custom === undefined ? zeroObject(kind.schema, kind.definition) : undefined;
}

/** A custom resource as it goes into the store; those of other kinds are as they are kept. Throws ApiStatusError. */
export function keptForm(parts: EngineParts, kind: ResourceKind, object: JsonObject): Promise<JsonObject> {
  return whenConverted(parts.convert, () => asKept(kind, object));
}

/** An object of the store as the client sees it. Throws ApiStatusError. */
export function shownForm(parts: EngineParts, kind: ResourceKind, object: JsonObject): Promise<JsonObject> {
  return whenConverted(parts.convert, () => fromStorage(kind, object));
}

export interface AdmissionStep {
  readonly operation: AdmissionAttributes["operation"];
  readonly target: Target;
  readonly object: JsonObject | undefined;
  readonly oldObject: JsonObject | undefined;
}

function attributesOf(
  kind: ResourceKind,
  context: WriteContext,
  { operation, target }: Pick<AdmissionStep, "operation" | "target">,
): Omit<AdmissionAttributes, "object" | "oldObject"> {
  return {
    operation,
    group: kind.group,
    version: kind.version,
    kind: kind.kind,
    ...(target.subresource === SCALE ? { kind: "Scale", kindOf: parseApiVersion(SCALE_VERSION) } : {}),
    resource: kind.plural,
    subresource: target.subresource,
    namespace: target.namespace,
    name: target.name,
    user: context.user,
    dryRun: context.dryRun,
    ...(context.options === undefined ? {} : { options: context.options }),
    warn: (text) => void context.warnings.push(text),
  };
}

/** Lets the plug-ins judge the object that is to be written. Throws ApiStatusError when one refuses. */
export async function judge(
  parts: EngineParts,
  kind: ResourceKind,
  context: WriteContext,
  step: AdmissionStep,
): Promise<void> {
  const isScale = step.target.subresource === SCALE;
  const shown = (object: JsonObject | undefined) => {
    if (object === undefined) return undefined;
    return isScale ? readScale(kind, shownIn(kind, object)) : shownIn(kind, object);
  };
  const attributes = {
    ...attributesOf(kind, context, step),
    object: shown(step.object),
    oldObject: shown(step.oldObject),
  };
  for (const plugin of parts.admission) if (plugin.judges === true) await plugin.admit(attributes);
}

/** The client's form of an object that is in the kept one. */
const shownIn = (kind: ResourceKind, object: JsonObject): JsonObject =>
  kind.custom === undefined ? fromStorage(kind, object) : { ...object, apiVersion: apiVersionOf(kind) };

/** Runs the plug-ins in order, each on what the one before left. Objects are seen in the client's version. */
export async function admit(
  parts: EngineParts,
  kind: ResourceKind,
  context: WriteContext,
  step: AdmissionStep,
): Promise<JsonObject | undefined> {
  const { target, operation } = step;
  if (target.subresource === SCALE) return admitScale(parts, kind, context, step);
  let object = step.object === undefined ? undefined : fromStorage(kind, step.object);
  const first = object;
  const oldObject = step.oldObject === undefined ? undefined : fromStorage(kind, step.oldObject);
  const base = attributesOf(kind, context, { operation, target });
  // A deletion has no object that could still change.
  for (const plugin of parts.admission.filter(({ judges }) => judges !== true || operation === "DELETE")) {
    object = (await plugin.admit({ ...base, object, oldObject })) ?? object;
  }
  if (object === undefined) return undefined;
  // What nobody changed is complete already.
  if (object === first && step.object !== undefined) return step.object;
  const kept = toStorage(kind, object);
  if (kind.custom !== undefined) return inForm(kind.custom.form, kept);
  const { object: decoded } = decodeObject(storageKindOf(parts, kind).schema, kept);
  completeWithDefaults(parts, kind, decoded);
  return decoded;
}

const SCALE = "scale";

/** Plug-ins see the scale, and of what they make of it only the replicas count. */
async function admitScale(
  parts: EngineParts,
  kind: ResourceKind,
  context: WriteContext,
  { target, operation, object: parent, oldObject }: AdmissionStep,
): Promise<JsonObject | undefined> {
  if (parent === undefined || oldObject === undefined) return parent;
  const base = attributesOf(kind, context, { operation, target });
  const before = ownedScale(kind, shownIn(kind, oldObject));
  const first = ownedScale(kind, shownIn(kind, parent));
  datedOwners(first, before, timestamp(parts.now()));
  let object = first;
  for (const plugin of parts.admission.filter(({ judges }) => judges !== true)) {
    object = (await plugin.admit({ ...base, object, oldObject: before })) ?? object;
  }
  if (object === first) return parent;
  settleOwners(object, objectsAt(first, "metadata", "managedFields"), context);
  return withReplicas(kind, parent, object);
}

export interface Change {
  /** The object before; undefined for a new one. */
  readonly old: JsonObject | undefined;
  readonly subresource: string;
  /** Told of what is wrong but was so before. */
  readonly warn?: (text: string) => void;
}

/** What is wrong with the object. */
function faults(parts: EngineParts, kind: ResourceKind, object: JsonObject, change: Change): FieldError[] {
  const strategy = strategyOf(kind);
  const own = strategy.rules?.(object, change.old) ?? [];
  if (kind.custom === undefined) {
    const schema = storageKindOf(parts, kind).schema;
    const labels = () => namespaceLabels(parts, object);
    const admin = change.old === undefined ? checkAdminAccess(storageKey(kind), object, labels) : [];
    return [...admin, ...checkBuiltin({ kind, object, schema, ...change }), ...own];
  }
  const shown = (one: JsonObject) => ({ ...one, apiVersion: apiVersionOf(kind) });
  const old = change.old === undefined ? undefined : shown(change.old);
  return [
    ...checkObjectMeta(object, { name: dnsSubdomain, namespaced: kind.namespaced, kubeFinalizers: false }),
    ...checkResource(kind.custom, { ...change, object: shown(object), old }),
    ...own,
  ];
}

const namespaceLabels = ({ store }: EngineParts, object: JsonObject): JsonObject =>
  objectAt(store.get("/namespaces", "", stringAt(object, "metadata", "namespace")), "metadata", "labels");

/** Throws 422 with every reason. Objects are in their kept form. */
export function validate(parts: EngineParts, kind: ResourceKind, object: JsonObject, change: Change): void {
  refuse(kind, object, faults(parts, kind, object, change));
}

function refuse(kind: ResourceKind, object: JsonObject, errors: readonly FieldError[]): void {
  // Kubernetes names kinds as it keeps them here: the events of either group are the core's.
  const named = kind.custom === undefined ? { group: kind.storedAs.group, kind: kind.kind } : kind;
  if (errors.length > 0) throw invalid(named, stringAt(object, "metadata", "name"), errors);
}

interface SentChange extends Change {
  /** Lists and maps of the object that were sent empty. */
  readonly emptied: readonly Emptied[];
}

/** Resources whose empty maps are other than none even where nothing is shown of them. */
const TOLD_APART = new Set(["/configmaps", "storage.k8s.io/storageclasses"]);

/** Validates a change; where Kubernetes tells, empty lists and maps stand as they were sent. Throws 422. */
export function validateSent(parts: EngineParts, kind: ResourceKind, object: JsonObject, change: SentChange): void {
  const find = () => faults(parts, kind, object, change);
  const findAsSent = () => asSent(change.emptied, find, "all");
  const errors = TOLD_APART.has(storageKey(kind)) ? findAsSent() : find();
  // What shows a part of the object shows it as it was sent.
  const shown = errors.some(showsPart) ? findAsSent().filter(showsPart) : [];
  refuse(
    kind,
    object,
    errors.map((error) => (showsPart(error) ? (shown.find((sent) => tellSame(sent, error)) ?? error) : error)),
  );
}

const showsPart = (error: FieldError) => showsLines(error) || typeof error.value === "object";
const tellSame = (a: FieldError, b: FieldError) =>
  a.field === b.field && (a.detail === b.detail || (showsLines(a) && showsLines(b)));

const showsLines = ({ detail }: FieldError) => detail.includes("\n@@ ");

export function fieldWriter(
  parts: EngineParts,
  kind: ResourceKind,
  context: WriteContext,
  how: { readonly operation: FieldWriter["operation"]; readonly subresource: string },
): FieldWriter {
  return {
    manager: context.fieldManager,
    operation: how.operation,
    apiVersion: apiVersionOf(kind),
    subresource: how.subresource,
    // Kubernetes notes no time for what is written through the scale.
    time: how.subresource === "scale" ? "" : timestamp(parts.now()),
  };
}
