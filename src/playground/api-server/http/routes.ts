// Which methods and media types a path of a built-in kind takes. What no path takes is refused before the kind is asked.
import { methodNotSupported, noSuchResource } from "../api-errors.ts";
import { type ApiRequest, ApiStatusError, type RequestInfo } from "../contract.ts";
import { PATCH_TYPES } from "../patch/patches.ts";
import type { ResourceKind } from "../resource-kind.ts";
import { WRITTEN } from "./media-types.ts";

export interface Route {
  readonly methods: readonly string[];
  /** Media types of its answers to GET; `*` + `/*` when it answers as it likes. */
  readonly produces: readonly string[];
}

const METHODS: Readonly<Record<string, string>> = {
  get: "GET",
  list: "GET",
  watch: "GET",
  create: "POST",
  update: "PUT",
  patch: "PATCH",
  delete: "DELETE",
  deletecollection: "DELETE",
};

const STREAMS = ["application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch"];
const ANYTHING = "*/*";

const methodsOf = (kind: ResourceKind, verbs: readonly string[]) =>
  verbs.filter((verb) => kind.verbs.includes(verb)).map((verb) => METHODS[verb] ?? "");

/** Throws 404 for a path that no resource has, 405, 406 and 415 for a request that it does not take. */
export function checkRoute(kind: ResourceKind, info: RequestInfo, request: ApiRequest): void {
  const route = routeOf(kind, info);
  if (route === undefined || route.methods.length === 0) throw noSuchResource();
  const method = request.method ?? "GET";
  if (!route.methods.includes(method)) throw methodNotSupported();
  if (method === "PATCH" && !route.produces.includes(ANYTHING)) checkPatchType(request);
  checkAccept(method === "GET" ? route.produces : WRITTEN, request);
}

function routeOf(kind: ResourceKind, info: RequestInfo): Route | undefined {
  const { namespace, subresource, verb } = info;
  if (verb === "proxy") return undefined;
  const name = nameInPath(info);
  const ofNamespace = kind.plural === "namespaces" && kind.group === "";
  if (!kind.namespaced && namespace !== "" && !ofNamespace) return undefined;
  const everywhere = kind.namespaced && namespace === "";
  if (everywhere && name !== "") return undefined;
  if (isWatchPath(info)) return { methods: methodsOf(kind, ["watch"]), produces: [...WRITTEN, ...STREAMS] };
  if (subresource !== "") return subresourceRoute(kind, subresource);
  if (name !== "") return { methods: methodsOf(kind, ["get", "update", "patch", "delete"]), produces: WRITTEN };
  const verbs = everywhere ? ["list"] : ["list", "create", "deletecollection"];
  return { methods: methodsOf(kind, verbs), produces: [...WRITTEN, ...(kind.verbs.includes("watch") ? STREAMS : [])] };
}

/** Lists and watches may have theirs from a field selector, which says nothing of the path. */
function nameInPath({ verb, path, name }: RequestInfo): string {
  const selected = verb === "list" || (verb === "watch" && !path.endsWith(`/${name}`));
  return selected ? "" : name;
}

const isWatchPath = ({ path }: RequestInfo) => /^\/api(?:\/[^/]+|s\/[^/]+\/[^/]+)\/watch\/./.test(path);

function subresourceRoute(kind: ResourceKind, subresource: string): Route | undefined {
  const [first = ""] = subresource.split("/");
  const row = kind.subresourceRows.find(({ name }) => name === subresource || (name === "proxy" && name === first));
  if (row === undefined) return undefined;
  const methods = row.verbs.map((verb) => METHODS[verb] ?? "");
  if (first === "proxy") return { methods: [...methods, "HEAD", "OPTIONS"], produces: [ANYTHING] };
  if (CONNECTIONS.has(first)) return { methods, produces: [ANYTHING] };
  return { methods, produces: first === "log" ? ["text/plain", ...WRITTEN] : WRITTEN };
}

const CONNECTIONS = new Set(["exec", "attach", "portforward"]);

function checkPatchType(request: ApiRequest): void {
  const given = (request.headers["content-type"] ?? "").split(",").map((text) => text.split(";")[0]?.trim() ?? "");
  if (Object.values<string>(PATCH_TYPES).some((type) => given.includes(type))) return;
  throw new ApiStatusError(415, "UnsupportedMediaType", "415: Unsupported Media Type", {});
}

/** Throws 406 when the client accepts none of the media types. */
export function checkAccept(produces: readonly string[], { headers }: ApiRequest): void {
  const accept = headers.accept === undefined || headers.accept === "" ? ANYTHING : headers.accept;
  const types = accept.split(",").map((text) => text.split(";")[0]?.trim() ?? "");
  if (types.some((type) => type === ANYTHING || produces.includes(type) || produces.includes(ANYTHING))) return;
  const message = `406: Not Acceptable\n\nAvailable representations: ${produces.join(", ")}`;
  throw new ApiStatusError(406, "NotAcceptable", message, {});
}

/** A document that is only read: throws 405 for another method, 406 when it comes in no form that the client accepts. */
export function checkDocument(request: ApiRequest, produces: readonly string[]): void {
  if (request.method !== "GET") throw methodNotSupported();
  checkAccept(produces, request);
}
