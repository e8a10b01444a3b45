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

/** Subresources of a namespace itself, which would else read as resources inside it. */
const OF_NAMESPACES = new Set(["status", "finalize"]);

export interface ParsedRequest {
  readonly info: RequestInfo;
  readonly query: URLSearchParams;
}

/** Reads method and URL in RBAC's words. */
export function parseRequest(method: string, url: string): ParsedRequest {
  const [path = "/", search = ""] = url.split("?", 2);
  const query = new URLSearchParams(search);
  const parts = path
    .replace(/^\/+|\/+$/g, "")
    .split("/")
    .map(decode);
  const place = resourcePlace(parts);
  const empty = { group: "", version: "", resource: "", subresource: "", namespace: "", name: "" };
  if (place === undefined) {
    return { query, info: { ...empty, isResource: false, path, verb: method.toLowerCase() } };
  }
  const verb = place.watched && method === "GET" ? "watch" : resourceVerb(method, place.name, query);
  const name = place.name === "" && BY_FIELD.has(verb) ? selectedName(query) : place.name;
  const { watched: _, ...rest } = place;
  return { query, info: { isResource: true, path, verb, ...rest, name } };
}

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
  /** An old path, which says itself that it is a watch. */
  readonly watched: boolean;
}

function resourcePlace(parts: readonly string[]): Place | undefined {
  const root = parts[0];
  if (root !== "api" && root !== "apis") return undefined;
  const [group, version, behind] =
    root === "api" ? ["", parts[1], parts.slice(2)] : [parts[1] ?? "", parts[2], parts.slice(3)];
  const watched = behind[0] === "watch" && behind.length > 1;
  const rest = watched ? behind.slice(1) : behind;
  if (version === undefined || rest.length === 0) return undefined;
  if (rest[0] === "namespaces" && rest.length > 2 && !OF_NAMESPACES.has(rest[2] ?? "")) {
    const [, namespace = "", resource = "", name = "", ...sub] = rest;
    return { group, version, namespace, resource, name, subresource: sub.join("/"), watched };
  }
  const [resource = "", name = "", ...sub] = rest;
  const namespace = resource === "namespaces" && group === "" ? name : "";
  return { group, version, namespace, resource, name, subresource: sub.join("/"), watched };
}

function resourceVerb(method: string, name: string, query: URLSearchParams): string {
  const verb = VERBS[method] ?? method.toLowerCase();
  if (name !== "") return verb;
  if (verb === "get" && isTrue(query.get("watch"))) return "watch";
  if (verb === "get") return "list";
  return verb === "delete" ? "deletecollection" : verb;
}

/** Anything but "0" and "false" is true, and so is an option that has no value. */
export function isTrue(text: string | null): boolean {
  return text !== null && text !== "0" && text.toLowerCase() !== "false";
}
