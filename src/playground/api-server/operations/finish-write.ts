// The last steps that making and changing an object share: defaults, admission, validation.
import { type EngineParts, type Target, timestamp, type WriteContext } from "../api-context.ts";
import { type FieldError, invalid } from "../api-errors.ts";
import type { FieldWriter } from "../apply/managed-fields.ts";
import type { AdmissionAttributes, JsonObject } from "../contract.ts";
import { applyDefaults } from "../defaults/apply-defaults.ts";
import { stringAt } from "../json.ts";
import { apiVersionOf, type ResourceKind, storageKey } from "../resource-kind.ts";
import { immutableErrors, strategyOf } from "../strategy/strategies.ts";
import { checkSchema } from "../validation/check-schema.ts";
import { decodeObject } from "../validation/decode-object.ts";
import { checkMetadata } from "../validation/object-names.ts";
import { fromStorage, toStorage } from "./convert-version.ts";

/** The kind in which objects are kept; the kind itself for all but a few. */
export function storageKindOf(parts: EngineParts, kind: ResourceKind): ResourceKind {
  return parts.registry.find(kind.storedAs.group, kind.storedAs.version, kind.plural) ?? kind;
}

export function completeWithDefaults(parts: EngineParts, kind: ResourceKind, object: JsonObject): void {
  const stored = storageKindOf(parts, kind);
  applyDefaults(stored.schema, object, stored.definition);
}

export interface AdmissionStep {
  readonly operation: AdmissionAttributes["operation"];
  readonly target: Target;
  readonly object: JsonObject | undefined;
  readonly oldObject: JsonObject | undefined;
}

/** Runs the plug-ins in order, each on what the one before left. Objects are seen in the client's version. */
export async function admit(
  parts: EngineParts,
  kind: ResourceKind,
  context: WriteContext,
  step: AdmissionStep,
): Promise<JsonObject | undefined> {
  const { target, operation } = step;
  let object = step.object === undefined ? undefined : fromStorage(kind, step.object);
  const first = object;
  const oldObject = step.oldObject === undefined ? undefined : fromStorage(kind, step.oldObject);
  for (const plugin of parts.admission) {
    const attributes: AdmissionAttributes = {
      operation,
      group: kind.group,
      version: kind.version,
      kind: kind.kind,
      resource: kind.plural,
      subresource: target.subresource,
      namespace: target.namespace,
      name: target.name,
      user: context.user,
      dryRun: context.dryRun,
      object,
      oldObject,
    };
    object = (await plugin.admit(attributes)) ?? object;
  }
  if (object === undefined) return undefined;
  const kept = object === first && step.object !== undefined ? step.object : toStorage(kind, object);
  const { object: decoded } = decodeObject(storageKindOf(parts, kind).schema, kept);
  completeWithDefaults(parts, kind, decoded);
  return decoded;
}

/** Throws 422 with every reason. `object` is in its kept form. */
export function validate(parts: EngineParts, kind: ResourceKind, object: JsonObject, old?: JsonObject): void {
  const strategy = strategyOf(kind);
  const schema = storageKindOf(parts, kind).schema;
  const errors = [
    ...checkMetadata(storageKey(kind), object),
    ...checkSchema(schema, object, { builtin: kind.custom === undefined }),
    ...(strategy.rules?.(object, old) ?? []),
    ...(old === undefined ? [] : immutableErrors(strategy, object, old)),
  ];
  if (errors.length > 0) throw invalid(kind, stringAt(object, "metadata", "name"), withoutDoubles(errors));
}

function withoutDoubles(errors: readonly FieldError[]): FieldError[] {
  const seen = new Set<string>();
  return errors.filter((error) => {
    const key = `${error.field} ${error.type}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

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
    time: timestamp(parts.now()),
  };
}
