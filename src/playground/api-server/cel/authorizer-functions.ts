// `authorizer` in expressions: whether who asks might do something else, too.
import { type CelFunc, type CelMap, CelScalar, celMethod, mapType } from "@bufbuild/cel";
import type { RequestInfo } from "../contract.ts";
import { type OpaqueType, opaque, opened, textOf } from "./opaque.ts";

const { DYN, STRING, BOOL } = CelScalar;
const MAP = mapType(DYN, DYN);

/** Answers for one user; the user of `serviceAccount` when one is asked for. */
export type Decide = (
  info: RequestInfo,
  account: { readonly namespace: string; readonly name: string } | undefined,
) => { readonly allowed: boolean; readonly reason: string };

/** Values know whom to ask; CEL's own equality must not see it. */
const deciders = new WeakMap<object, Decide>();

function made(type: OpaqueType, fields: Readonly<Record<string, string>>, decide: Decide): CelMap {
  const value = opaque(type, fields);
  deciders.set(value, decide);
  return value;
}

/** The value of the variable `authorizer`. */
export const authorizerValue = (decide: Decide): CelMap => made("authorizer", {}, decide);

const FIELDS = ["account", "path", "group", "resource", "subresource", "namespace", "name"];

/** The same check, and more. */
function next(value: unknown, from: OpaqueType, to: OpaqueType, more: Readonly<Record<string, string>>): CelMap {
  const before = opened(value, from);
  const decide = deciders.get(before);
  if (decide === undefined) throw new Error("no such overload");
  const known = Object.fromEntries(FIELDS.map((field) => [field, textOf(before, field)]));
  return made(to, { ...known, ...more }, decide);
}

function filled(text: string, what: string): string {
  if (text.trim() === "") throw new Error(`${what} must not be empty`);
  return text;
}

function checked(value: CelMap, type: "pathCheck" | "resourceCheck", verb: string): CelMap {
  const decide = deciders.get(opened(value, type));
  if (decide === undefined) throw new Error("no such overload");
  const [namespace = "", name = ""] = textOf(value, "account").split("/");
  const isResource = type === "resourceCheck";
  const info: RequestInfo = {
    isResource,
    path: textOf(value, "path"),
    verb,
    group: textOf(value, "group"),
    version: isResource ? "*" : "",
    resource: textOf(value, "resource"),
    subresource: textOf(value, "subresource"),
    namespace: textOf(value, "namespace"),
    name: textOf(value, "name"),
  };
  const { allowed, reason } = decide(info, name === "" ? undefined : { namespace, name });
  return opaque("decision", { allowed, reason });
}

const narrow = (field: string): CelFunc =>
  celMethod(field, MAP, [STRING], MAP, function (text) {
    return next(this, "resourceCheck", "resourceCheck", { [field]: text });
  });

/** Rights by role know no selectors. */
const unchanged = (name: string): CelFunc =>
  celMethod(name, MAP, [STRING], MAP, function () {
    return next(this, "resourceCheck", "resourceCheck", {});
  });

export const authorizerFunctions: readonly CelFunc[] = [
  celMethod("path", MAP, [STRING], MAP, function (path) {
    return next(this, "authorizer", "pathCheck", { path: filled(path, "path") });
  }),
  celMethod("group", MAP, [STRING], MAP, function (group) {
    return next(this, "authorizer", "groupCheck", { group });
  }),
  celMethod("serviceAccount", MAP, [STRING, STRING], MAP, function (namespace, name) {
    return next(this, "authorizer", "authorizer", { account: `${namespace}/${name}` });
  }),
  celMethod("resource", MAP, [STRING], MAP, function (resource) {
    return next(this, "groupCheck", "resourceCheck", { resource: filled(resource, "resource") });
  }),
  ...["subresource", "namespace", "name"].map(narrow),
  ...["fieldSelector", "labelSelector"].map(unchanged),
  celMethod("check", MAP, [STRING], MAP, function (verb) {
    const isPath = this.get("\u0000type") === "pathCheck";
    return checked(this, isPath ? "pathCheck" : "resourceCheck", verb);
  }),
  celMethod("allowed", MAP, [], BOOL, function () {
    return opened(this, "decision").get("allowed") === true;
  }),
  celMethod("reason", MAP, [], STRING, function () {
    return textOf(opened(this, "decision"), "reason");
  }),
  celMethod("errored", MAP, [], BOOL, () => false),
  celMethod("error", MAP, [], STRING, () => ""),
];
