import type { EngineParts, Target, WriteContext } from "../api-context.ts";
import { badRequest } from "../api-errors.ts";
import { type ApplyResult, applyConfiguration } from "../apply/managed-fields.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { decodeApplied } from "../crd/decode-custom.ts";
import { isObject, objectAt, stringAt } from "../json.ts";
import { apiVersionOf, type ResourceKind, storageKey } from "../resource-kind.ts";
import { fromStorage, toStorage } from "./convert-version.ts";
import { createObject } from "./create-object.ts";
import { decodeBody } from "./decode-body.ts";
import { fieldWriter, storageKindOf } from "./finish-write.ts";
import { modifyObject } from "./modify-object.ts";

/** Server-side apply: makes the object or merges into it. `created` tells which. Throws ApiStatusError. */
export async function applyObject(
  parts: EngineParts,
  kind: ResourceKind,
  request: {
    readonly target: Target;
    readonly body: JsonValue;
    readonly context: WriteContext;
    readonly force: boolean;
  },
): Promise<{ readonly object: JsonObject; readonly created: boolean }> {
  const { target, body, context, force } = request;
  if (!isObject(body)) throw badRequest("the body of an apply request must be one object");
  checkApplied(kind, target, body);
  const schema = storageKindOf(parts, kind).schema;
  const config = withName(appliedBody(kind, body, context), target, kind);
  const writer = fieldWriter(parts, kind, context, { operation: "Apply", subresource: target.subresource });
  const exists = () => parts.store.get(storageKey(kind), target.namespace, target.name) !== undefined;
  if (!exists() && target.subresource === "") {
    const { managedFields } = applyConfiguration(schema, undefined, config, { writer, force });
    const object = await createObject(parts, kind, { target, body, context }, { managedFields });
    return { object, created: true };
  }
  let result: ApplyResult | undefined;
  const object = await modifyObject(parts, kind, {
    target,
    context,
    transform(current) {
      const live = toStorage(kind, current);
      result = applyConfiguration(schema, live, config, { writer, force });
      return fromStorage(kind, result.object);
    },
    managedFields: () => result?.managedFields ?? [],
  });
  return { object, created: false };
}

function appliedBody(kind: ResourceKind, body: JsonObject, context: WriteContext): JsonObject {
  return kind.custom === undefined
    ? decodeBody(kind, body, context)
    : toStorage(kind, decodeApplied(kind, body, context));
}

function checkApplied(kind: ResourceKind, target: Target, body: JsonObject): void {
  if (stringAt(body, "apiVersion") !== apiVersionOf(kind) || stringAt(body, "kind") !== kind.kind) {
    throw badRequest(
      `invalid object type: ${stringAt(body, "apiVersion")}, Kind=${stringAt(body, "kind")}, expected ${apiVersionOf(kind)}, Kind=${kind.kind}`,
    );
  }
  if (Array.isArray(objectAt(body, "metadata")["managedFields"])) {
    throw badRequest("metadata.managedFields must be nil");
  }
  const name = stringAt(body, "metadata", "name");
  if (name !== "" && name !== target.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${target.name})`);
  }
}

function withName(config: JsonObject, target: Target, kind: ResourceKind): JsonObject {
  const metadata: JsonObject = { ...objectAt(config, "metadata"), name: target.name };
  if (kind.namespaced) metadata["namespace"] = target.namespace;
  return { ...config, metadata };
}
