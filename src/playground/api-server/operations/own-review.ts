// What is only answered and never kept carries managedFields all the same, as every object that a client makes.
import { type EngineParts, timestamp } from "../api-context.ts";
import { trackUpdate } from "../apply/managed-fields.ts";
import type { JsonObject, VirtualResource } from "../contract.ts";
import { objectAt, stringAt } from "../json.ts";
import { definition } from "../schema/schema.ts";

/** The definitions of the kinds that are served below another kind. */
const DEFINITIONS: Readonly<Record<string, string>> = {
  TokenRequest: "io.k8s.api.authentication.v1.TokenRequest",
};

/** The answer with its maker as owner of what it set; the status is nobody's. */
export function withOwner(
  parts: EngineParts,
  virtual: VirtualResource,
  exchange: { readonly sent: JsonObject; readonly answer: JsonObject; readonly manager: string },
): JsonObject {
  const { sent, answer, manager } = exchange;
  const own = DEFINITIONS[virtual.kind];
  const schema =
    own === undefined ? parts.registry.find(virtual.group, virtual.version, virtual.resource)?.schema : definition(own);
  if (schema === undefined) return answer;
  // The default that decoding sets is its maker's too; the audiences come later.
  const seconds = objectAt(answer, "spec")["expirationSeconds"];
  // Empty lists are not there, but for the audiences of a token.
  const isThere = (value: unknown) => virtual.kind === "TokenRequest" || !Array.isArray(value) || value.length > 0;
  const source = virtual.group === "authorization.k8s.io" ? answer : sent;
  const given = Object.entries(objectAt(source, "spec")).filter(([, value]) => isThere(value));
  const spec = { ...Object.fromEntries(given), ...(seconds === undefined ? {} : { expirationSeconds: seconds }) };
  const { status: _, ...set } = sent;
  const owned = Object.keys(spec).length === 0 ? set : { ...set, spec };
  const writer = {
    manager,
    operation: "Update",
    apiVersion: stringAt(answer, "apiVersion"),
    subresource: virtual.subresource ?? "",
    time: timestamp(parts.now()),
  } as const;
  const managedFields = trackUpdate(schema, undefined, owned, writer);
  return { ...answer, metadata: { ...objectAt(answer, "metadata"), managedFields } };
}
