// What expressions of policies and match conditions know of a request.
import type { CelInput } from "@bufbuild/cel";
import { authorizerValue } from "../cel/authorizer-functions.ts";
import { type CelType, DYN, listOf, mapOf, objectOf, scalar } from "../cel/cel-type.ts";
import type { Bindings } from "../cel/program.ts";
import { celInput } from "../cel/values.ts";
import type { AdmissionAttributes, Authorizer, JsonObject, UserInfo } from "../contract.ts";

const STRING = scalar("string");
const kind = objectOf({ group: STRING, version: STRING, kind: STRING });
const resource = objectOf({ group: STRING, version: STRING, resource: STRING });

const REQUEST = objectOf({
  kind,
  resource,
  subResource: STRING,
  requestKind: kind,
  requestResource: resource,
  requestSubResource: STRING,
  name: STRING,
  namespace: STRING,
  operation: STRING,
  userInfo: objectOf({
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

/** Of conditions and validations, but not of messages. */
export const AUTHORIZER_VARIABLE: Readonly<Record<string, CelType>> = {
  authorizer: scalar("kubernetes.authorization.Authorizer"),
};

/** Their values, `authorizer` among them. */
export function requestBindings(attributes: AdmissionAttributes, authorizer: Authorizer): Bindings {
  const { group, version, user, operation, subresource } = attributes;
  const gvk = { group, version, ...attributes.kindOf, kind: attributes.kind };
  const gvr = { group, version, resource: attributes.resource };
  const extra = Object.fromEntries(Object.entries(user.extra ?? {}).map(([key, values]) => [key, [...values]]));
  const request: JsonObject = {
    kind: gvk,
    resource: gvr,
    requestKind: gvk,
    requestResource: gvr,
    operation,
    // What is empty is not there.
    ...filled({ subResource: subresource, requestSubResource: subresource }),
    ...filled({ name: attributes.name, namespace: attributes.namespace }),
    userInfo: { ...filled({ username: user.username, uid: user.uid ?? "" }), groups: [...user.groups], extra },
    dryRun: attributes.dryRun,
    options: operationOptions(attributes) ?? {},
  };
  const shown = (one: JsonObject | undefined): CelInput => (one === undefined ? null : celInput(undefined, one));
  return {
    object: shown(attributes.object),
    oldObject: shown(attributes.oldObject),
    request: celInput(undefined, request),
    authorizer: authorizerValue((info, account) =>
      authorizer.authorize(account === undefined ? user : serviceAccount(account), info),
    ),
  };
}

const filled = (fields: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ""));

const OPTIONS: Readonly<Record<string, string>> = {
  CREATE: "CreateOptions",
  UPDATE: "UpdateOptions",
  DELETE: "DeleteOptions",
};

/** The options of the request as an object of their own; null where an operation has none. */
export function operationOptions({ operation, options }: AdmissionAttributes): JsonObject | null {
  const kind = OPTIONS[operation];
  return kind === undefined ? null : { kind, apiVersion: "meta.k8s.io/v1", ...options };
}

function serviceAccount({ namespace, name }: { readonly namespace: string; readonly name: string }): UserInfo {
  const groups = ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"];
  return { username: `system:serviceaccount:${namespace}:${name}`, groups };
}
