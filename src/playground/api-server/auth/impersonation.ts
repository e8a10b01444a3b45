import type { IncomingHttpHeaders } from "node:http";
import { ApiStatusError, type Authorizer, type UserInfo } from "../contract.ts";
import { forbiddenFor } from "./forbidden.ts";

const EXTRA_PREFIX = "impersonate-extra-";

interface Target {
  readonly group: string;
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
}

/**
 * The user whom the Impersonate-* headers ask for, or `user` itself without them. Each part (user, group, service
 * account, extra) needs the verb `impersonate`. Throws ApiStatusError 403 or 400.
 */
export function impersonatedUser(
  user: UserInfo,
  headers: IncomingHttpHeaders,
  authorizer: Authorizer | undefined,
): UserInfo {
  const username = one(headers["impersonate-user"]);
  const groups = many(headers["impersonate-group"]);
  const uid = one(headers["impersonate-uid"]);
  const extra = extraOf(headers);
  if (username === undefined) {
    if (groups.length === 0 && uid === undefined && Object.keys(extra).length === 0) return user;
    throw new ApiStatusError(
      400,
      "BadRequest",
      `requested [${referencesText(groups, uid, extra)}] without impersonating a user`,
    );
  }
  for (const target of targetsOf(username, groups, uid, extra)) {
    const info = { ...target, isResource: true, path: "", verb: "impersonate", version: "v1" };
    const answer = authorizer?.authorize(user, info);
    if (answer?.allowed !== true) throw forbiddenFor(user, info, answer?.reason);
  }
  return {
    username,
    groups: impersonatedGroups(username, groups),
    ...(uid === undefined ? {} : { uid }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

const AUTHENTICATION = "authentication.k8s.io";

/** The form in which the real server prints whom it was asked for. */
function referencesText(
  groups: readonly string[],
  uid: string | undefined,
  extra: Readonly<Record<string, readonly string[]>>,
): string {
  return [
    ...groups.map((group) => `{Group  ${group}    }`),
    ...Object.entries(extra).flatMap(([key, values]) =>
      values.map((value) => `{UserExtra  ${value}  ${AUTHENTICATION}/v1  ${key}}`),
    ),
    ...(uid === undefined ? [] : [`{UID  ${uid}  ${AUTHENTICATION}/v1  }`]),
  ].join(" ");
}

function targetsOf(
  username: string,
  groups: readonly string[],
  uid: string | undefined,
  extra: Readonly<Record<string, readonly string[]>>,
): Target[] {
  const core = { group: "", namespace: "", subresource: "" };
  const authentication = { ...core, group: AUTHENTICATION };
  const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(username) ?? [];
  return [
    namespace === undefined || name === undefined
      ? { ...core, resource: "users", name: username }
      : { ...core, resource: "serviceaccounts", namespace, name },
    ...groups.map((group) => ({ ...core, resource: "groups", name: group })),
    ...Object.entries(extra).flatMap(([key, values]) =>
      values.map((value) => ({ ...authentication, resource: "userextras", subresource: key, name: value })),
    ),
    ...(uid === undefined ? [] : [{ ...authentication, resource: "uids", name: uid }]),
  ];
}

const AUTHENTICATED = "system:authenticated";
const UNAUTHENTICATED = "system:unauthenticated";

/** A service account brings its own groups; everybody else is authenticated unless a group says whether. */
function impersonatedGroups(username: string, groups: readonly string[]): string[] {
  const [, namespace] = /^system:serviceaccount:([^:]+):/.exec(username) ?? [];
  const own =
    namespace === undefined || groups.length > 0
      ? groups
      : ["system:serviceaccounts", `system:serviceaccounts:${namespace}`];
  if (own.includes(UNAUTHENTICATED)) return [...own];
  if (username === "system:anonymous") return [...own, UNAUTHENTICATED];
  return own.includes(AUTHENTICATED) ? [...own] : [...own, AUTHENTICATED];
}

function one(value: string | string[] | undefined): string | undefined {
  return [value ?? []].flat()[0] || undefined;
}

/** Node joins repeated unknown headers by ", "; group names hold neither. */
function many(value: string | string[] | undefined): string[] {
  return [value ?? []].flat().flatMap((line) => line.split(", "));
}

function extraOf(headers: IncomingHttpHeaders): Record<string, string[]> {
  const extra: Record<string, string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(EXTRA_PREFIX)) extra[decodeURIComponent(name.slice(EXTRA_PREFIX.length))] = many(value);
  }
  return extra;
}
