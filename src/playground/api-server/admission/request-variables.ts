// What expressions of policies and match conditions know of a request.
import type { CelInput } from "@bufbuild/cel";
import { type CelType, DYN, listOf, mapOf, scalar } from "../cel/cel-type.ts";
import type { Bindings } from "../cel/program.ts";
import { celInput } from "../cel/values.ts";
import type { AdmissionAttributes, JsonObject } from "../contract.ts";

const STRING = scalar("string");
const object = (fields: Readonly<Record<string, CelType>>): CelType => ({
  name: "object",
  of: [],
  fields: () => fields,
});
const kind = object({ group: STRING, version: STRING, kind: STRING });
const resource = object({ group: STRING, version: STRING, resource: STRING });

const REQUEST = object({
  kind,
  resource,
  subResource: STRING,
  requestKind: kind,
  requestResource: resource,
  requestSubResource: STRING,
  name: STRING,
  namespace: STRING,
  operation: STRING,
  userInfo: object({
    username: STRING,
    uid: STRING,
    groups: listOf(STRING),
    extra: mapOf(STRING, listOf(STRING)),
  }),
  dryRun: scalar("bool"),
  options: DYN,
});

/** Types of the variables of every expression that judges a request. */
export const REQUEST_VARIABLES: Readonly<Record<string, CelType>> = { object: DYN, oldObject: DYN, request: REQUEST };

/** Their values. */
export function requestBindings(attributes: AdmissionAttributes): Bindings {
  const { group, version, user, operation, subresource } = attributes;
  const gvk = { group, version, kind: attributes.kind };
  const gvr = { group, version, resource: attributes.resource };
  const extra = Object.fromEntries(Object.entries(user.extra ?? {}).map(([key, values]) => [key, [...values]]));
  const request: JsonObject = {
    kind: gvk,
    resource: gvr,
    subResource: subresource,
    requestKind: gvk,
    requestResource: gvr,
    requestSubResource: subresource,
    name: attributes.name,
    namespace: attributes.namespace,
    operation,
    userInfo: { username: user.username, uid: user.uid ?? "", groups: [...user.groups], extra },
    dryRun: attributes.dryRun,
    options: {},
  };
  const shown = (one: JsonObject | undefined): CelInput => (one === undefined ? null : celInput(undefined, one));
  return {
    object: shown(attributes.object),
    oldObject: shown(attributes.oldObject),
    request: celInput(undefined, request),
  };
}
