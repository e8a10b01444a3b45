import type { RequestInfo } from "../contract.ts";
import { exactValue, parseFieldSelector } from "../field-selectors.ts";

const VERBS: Readonly<Record<string, string>> = {
  GET: "get",
  HEAD: "get",
  POST: "create",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};

/** Verbs that old paths say themselves, before what they are for. */
const PATH_VERBS = new Set(["watch", "proxy"]);

/** A path that begins with a verb and ends there. */
export class UnreadablePath extends Error {
  constructor(url: string) {
    super(`failed to create RequestInfo: unable to determine kind and namespace from url, ${url}`);
  }
}

/** Subresources of a namespace itself, which would else read as resources inside it. */
const OF_NAMESPACES = new Set(["status", "finalize"]);

export interface ParsedRequest {
  readonly info: RequestInfo;
  readonly query: URLSearchParams;
}

/** Reads method and URL in RBAC's words. Throws UnreadablePath. */
export function parseRequest(method: string, url: string): ParsedRequest {
  const [path = "/", search = ""] = url.split("?", 2);
  const query = new URLSearchParams(search);
  const parts = path
    .replace(/^\/+|\/+$/g, "")
    .split("/")
    .map(decode);
  const place = resourcePlace(parts);
  if (place?.resource === "" && place.pathVerb !== undefined) throw new UnreadablePath(url);
  const empty = { group: "", version: "", resource: "", subresource: "", namespace: "", name: "" };
  if (place === undefined) {
    return { query, info: { ...empty, isResource: false, path, verb: method.toLowerCase() } };
  }
  const verb = place.pathVerb ?? resourceVerb(method, place.name, query);
  const name = place.name === "" && BY_FIELD.has(verb) ? selectedName(query) : place.name;
  const { pathVerb: _, ...rest } = place;
  const selector = place.pathVerb === undefined && SELECTING.has(verb) ? query.get("fieldSelector") : null;
  return {
    query,
    info: { isResource: true, path, verb, ...rest, name, ...(selector === null ? {} : { fieldSelector: selector }) },
  };
}

const SELECTING = new Set(["list", "watch", "deletecollection"]);

const BY_FIELD = new Set(["list", "watch"]);

/** A list or watch of one name asks for that name, so that roles with resourceNames can allow it. */
function selectedName(query: URLSearchParams): string {
  try {
    const name = exactValue(parseFieldSelector(query.get("fieldSelector") ?? ""), "metadata.name") ?? "";
    return name === "." || name === ".." || /[/%]/.test(name) ? "" : name;
  } catch {
    // It will be refused where it is read for what it selects.
    return "";
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // A malformed escape names nothing that exists; it will be answered with 404.
    return part;
  }
}

interface Place extends Pick<RequestInfo, "group" | "version" | "resource" | "subresource" | "namespace" | "name"> {
  /** Of an old path, which says itself what it is. */
  readonly pathVerb: string | undefined;
}

function resourcePlace(parts: readonly string[]): Place | undefined {
  const root = parts[0];
  if (root !== "api" && root !== "apis") return undefined;
  const [group, version, behind] =
    root === "api" ? ["", parts[1], parts.slice(2)] : [parts[1] ?? "", parts[2], parts.slice(3)];
  if (version === undefined || behind.length === 0) return undefined;
  const pathVerb = PATH_VERBS.has(behind[0] ?? "") ? behind[0] : undefined;
  const rest = pathVerb === undefined ? behind : behind.slice(1);
  const subresourceIn = (parts: readonly string[]) => (pathVerb === "proxy" ? "" : parts.join("/"));
  if (rest[0] === "namespaces" && rest.length > 2 && !OF_NAMESPACES.has(rest[2] ?? "")) {
    const [, namespace = "", resource = "", name = "", ...sub] = rest;
    return { group, version, namespace, resource, name, subresource: subresourceIn(sub), pathVerb };
  }
  const [resource = "", name = "", ...sub] = rest;
  const namespace = resource === "namespaces" && group === "" ? name : "";
  return { group, version, namespace, resource, name, subresource: subresourceIn(sub), pathVerb };
}

function resourceVerb(method: string, name: string, query: URLSearchParams): string {
  const verb = VERBS[method] ?? "";
  if (name !== "") return verb;
  if (verb === "get" && isTrue(query.get("watch"))) return "watch";
  if (verb === "get") return "list";
  return verb === "delete" ? "deletecollection" : verb;
}

/** Anything but "0" and "false" is true, and so is an option that has no value. */
export function isTrue(text: string | null): boolean {
  return text !== null && text !== "0" && text.toLowerCase() !== "false";
}
