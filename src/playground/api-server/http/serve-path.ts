// Paths that are no resources: discovery, OpenAPI, version, health.

import { noSuchResource } from "../api-errors.ts";
import type { ApiRequest, ApiResponse, JsonObject, RequestInfo } from "../contract.ts";
import { KUBERNETES_RELEASE } from "../gen/definitions.ts";
import type { Registry } from "../registry.ts";
import { aggregated, coreVersions, groupList, groupOf, resourceList } from "./discovery.ts";
import { openApiDocument, openApiIndex } from "./open-api.ts";
import { OPEN_API_V2_TYPE, openApiV2 } from "./open-api-v2.ts";
import { send, sendJson } from "./respond.ts";

const [MAJOR, MINOR] = KUBERNETES_RELEASE.split(".");

/**
 * The release whose schemas and behaviour are served. Build metadata tells that this is not upstream's binary; a
 * pre-release suffix would make clients think it older than the release.
 */
const VERSION = {
  major: MAJOR ?? "1",
  minor: MINOR ?? "",
  gitVersion: `v${KUBERNETES_RELEASE}+isthmus`,
  gitCommit: "",
  gitTreeState: "clean",
  buildDate: "1970-01-01T00:00:00Z",
  goVersion: "",
  compiler: "node",
  platform: `${process.platform}/${process.arch === "x64" ? "amd64" : process.arch}`,
};

/** Open to everyone: who cannot log in may still ask whether the server lives. */
export const OPEN_PATHS = /^\/(healthz|livez|readyz|version)(\/|$)/;

export interface PathContext {
  readonly registry: Registry;
  /** HOST:PORT */
  readonly serverAddress: string;
  readonly isReady: () => boolean;
  /** Fixed documents by their path. */
  readonly documents: Readonly<Record<string, JsonObject>>;
}

interface Exchange {
  readonly request: ApiRequest;
  readonly response: ApiResponse;
}

/** Throws 404 for a path that is not served. */
export function servePath(context: PathContext, info: RequestInfo, exchange: Exchange): void {
  const { registry } = context;
  const document = context.documents[info.path];
  if (document !== undefined) {
    sendJson(exchange.response, document);
    return;
  }
  const [first = "", ...rest] = info.path.split("/").filter((part) => part !== "");
  const serve = PATHS[first];
  if (serve !== undefined) serve(context, rest, exchange);
  else if (first !== "") throw noSuchResource();
  else
    sendJson(exchange.response, { paths: ["/api", "/apis", ...registry.groups().map((row) => `/apis/${row.group}`)] });
}

type PathServer = (context: PathContext, rest: readonly string[], exchange: Exchange) => void;

const health: PathServer = (context, _rest, { response }) => {
  const ready = context.isReady();
  send(response, ready ? "ok" : "not ready", { code: ready ? 200 : 500, contentType: "text/plain; charset=utf-8" });
};

const PATHS: Readonly<Record<string, PathServer>> = {
  healthz: health,
  readyz: health,
  livez: (_context, _rest, { response }) => send(response, "ok", { contentType: "text/plain; charset=utf-8" }),
  version: (_context, _rest, { response }) => sendJson(response, VERSION),
  api: ({ registry, serverAddress }, [version], exchange) => {
    if (version !== undefined) return sendKnown(exchange, resourceList(registry, "", version));
    if (!sendAggregated(registry, true, exchange)) sendJson(exchange.response, coreVersions(serverAddress));
  },
  apis: ({ registry }, [group, version], exchange) => {
    if (group !== undefined && version !== undefined)
      return sendKnown(exchange, resourceList(registry, group, version));
    if (group !== undefined) return sendKnown(exchange, groupOf(registry, group));
    if (!sendAggregated(registry, false, exchange)) sendJson(exchange.response, groupList(registry));
  },
  openapi: ({ registry }, [form, ...path], exchange) => {
    if (form === "v2") return send(exchange.response, openApiV2(registry), { contentType: OPEN_API_V2_TYPE });
    if (form !== "v3") throw noSuchResource();
    if (path.length === 0) return sendJson(exchange.response, openApiIndex(registry));
    sendKnown(exchange, openApiDocument(registry, path.join("/")));
  },
};

function sendKnown({ response }: Exchange, document: Parameters<typeof sendJson>[1] | undefined): void {
  if (document === undefined) throw noSuchResource();
  sendJson(response, document);
}

function sendAggregated(registry: Registry, core: boolean, { request, response }: Exchange): boolean {
  const accept = request.headers.accept ?? "";
  const version = /g=apidiscovery\.k8s\.io;v=(v2|v2beta1);as=APIGroupDiscoveryList/.exec(accept)?.[1];
  if (version === undefined) return false;
  const contentType = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
  sendJson(response, aggregated(registry, core, version), { contentType });
  return true;
}
