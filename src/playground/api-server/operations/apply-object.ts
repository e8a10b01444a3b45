import type { EngineParts, PatchTelling, Target, WriteContext } from "../api-context.ts";
import { badRequest, conflict } from "../api-errors.ts";
import { type ApplyResult, applyConfiguration } from "../apply/managed-fields.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { whenConverted } from "../crd/convert-custom.ts";
import { isObject, stringAt } from "../json.ts";
import { apiVersionOf, parseApiVersion, type ResourceKind, storageKey } from "../resource-kind.ts";
import { checkName, placeInNamespace } from "./check-identity.ts";
import { createDecoded } from "./create-object.ts";
import { decodeBody } from "./decode-body.ts";
import { beforeCreation, fieldWriter } from "./finish-write.ts";
import { modifyObject } from "./modify-object.ts";
import { versionsOf } from "./owned-versions.ts";

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
  const { target, body: config, force } = request;
  if (!isObject(config)) throw badRequest("the body of an apply request must be one object");
  checkApplied(kind, config);
  // What the schema does not know is refused before, whatever the client asks for.
  const context: WriteContext = { ...request.context, fieldValidation: "Ignore", patch: telling(kind, config) };
  const writer = fieldWriter(parts, kind, context, { operation: "Apply", subresource: target.subresource });
  const apply = (live: JsonObject | undefined) =>
    whenConverted(parts.convert, () =>
      applyConfiguration(versionsOf(parts, kind, target.subresource), live, config, {
        writer,
        force,
        kind: kindText(apiVersionOf(kind), kind.kind),
        blank: beforeCreation(kind) ?? {},
      }),
    );
  const exists = () => parts.store.get(storageKey(kind), target.namespace, target.name) !== undefined;
  if (!exists()) {
    const { object: made, managedFields } = await apply(undefined);
    const object = decodeBody(kind, made, context);
    checkNew(kind, target, object);
    return { object: await createDecoded(parts, kind, { target, object, context }, { managedFields }), created: true };
  }
  let result: ApplyResult | undefined;
  const object = await modifyObject(parts, kind, {
    target,
    context,
    async transform(current) {
      result = await apply(current);
      return result.unchanged ? current : result.object;
    },
    managedFields: () => result?.managedFields ?? [],
  });
  return { object, created: false };
}

function telling(kind: ResourceKind, config: JsonObject): PatchTelling {
  const name = `${stringAt(config, "metadata", "namespace")}/${stringAt(config, "metadata", "name")}`;
  const gvk = kindText(apiVersionOf(kind), kind.kind);
  const internal = `failed to convert new object (${name}; ${gvk}) to proper version: unable to convert unstructured object to ${gvk}: `;
  return { faults: [], unstructured: true, internal };
}

/** As Go prints a kind: `apps/v1, Kind=Deployment`, `/v1, Kind=Pod`. */
function kindText(apiVersion: string, kind: string): string {
  const { group, version } = parseApiVersion(apiVersion);
  return `${group}/${version}, Kind=${kind}`;
}

export function checkApplied(kind: ResourceKind, body: JsonObject): void {
  const [apiVersion, given] = [stringAt(body, "apiVersion"), stringAt(body, "kind")];
  if (apiVersion === apiVersionOf(kind) && given === kind.kind) return;
  throw badRequest(`invalid object type: ${kindText(apiVersion, given)}`);
}

/** A configuration must say which object it makes, and nothing of what only the server knows. */
function checkNew(kind: ResourceKind, target: Target, object: JsonObject): void {
  const uid = stringAt(object, "metadata", "uid");
  if (uid !== "") {
    const why = `the provided object specified uid ${uid}, and no existing object was found`;
    throw conflict(kind, target.name, `uid mismatch: ${why}`);
  }
  placeInNamespace(kind, object, target);
  checkName(object, target);
}
