// Paths that are no resources: discovery, OpenAPI, version, health.

import { createHash } from "node:crypto";
import { noSuchResource } from "../api-errors.ts";
import type { ApiRequest, ApiResponse, JsonObject, RequestInfo } from "../contract.ts";
import { KUBERNETES_RELEASE } from "../gen/definitions.ts";
import type { OpenApiDocuments } from "../open-api/open-api-documents.ts";
import type { Registry } from "../registry.ts";
import { aggregated, coreVersions, groupList, groupOf, resourceList } from "./discovery.ts";
import { healthChecks, healthPaths, serveHealth } from "./health.ts";
import { acceptClauses, negotiate, nothingAccepted, WRITTEN } from "./media-types.ts";
import { send, sendEmpty, sendJson, sendNoPage } from "./respond.ts";
import { checkDocument } from "./routes.ts";
import { METRICS_TYPE, renderChecks } from "./serve-metrics.ts";
import { serveOpenApi } from "./serve-open-api.ts";

const KEYS_PATH = "/openid/v1/jwks";
const KEYS_TYPE = "application/jwk-set+json";
const [MAJOR, MINOR] = KUBERNETES_RELEASE.split(".");

/**
 * The release whose schemas and behaviour are served. Build metadata tells that this is not upstream's binary; a
 * pre-release suffix would make clients think it older than the release.
 */
const VERSION = {
  major: MAJOR ?? "1",
  minor: MINOR ?? "",
  emulationMajor: MAJOR ?? "1",
  emulationMinor: MINOR ?? "",
  minCompatibilityMajor: MAJOR ?? "1",
  minCompatibilityMinor: String(Number(MINOR) - 1),
  gitVersion: `v${KUBERNETES_RELEASE}+isthmus`,
  gitCommit: "",
  gitTreeState: "clean",
  buildDate: "1970-01-01T00:00:00Z",
  goVersion: "",
  compiler: "node",
  platform: `${process.platform}/${process.arch === "x64" ? "amd64" : process.arch}`,
};

/** What is served as it is made for the server's own HOST:PORT, by path. */
export type Documents = Readonly<Record<string, (serverAddress: string) => JsonObject>>;

export interface PathContext {
  readonly registry: Registry;
  readonly openApi: OpenApiDocuments;
  /** HOST:PORT */
  readonly serverAddress: () => string;
  readonly isReady: () => boolean;
  /** What there is to measure, as text. */
  readonly metrics: () => string;
  /** By their path. */
  readonly documents: Documents;
}

interface Exchange {
  readonly request: ApiRequest;
  readonly response: ApiResponse;
}

/** Throws 404 for a path that is not served. */
export function servePath(context: PathContext, info: RequestInfo, exchange: Exchange): void {
  const document = context.documents[info.path];
  if (document !== undefined) {
    checkDocument(exchange.request, [info.path === KEYS_PATH ? KEYS_TYPE : "application/json"]);
    const contentType = info.path === KEYS_PATH ? KEYS_TYPE : "application/json";
    sendJson(exchange.response, document(context.serverAddress()), {
      contentType,
      cacheControl: "public, max-age=3600",
    });
    return;
  }
  const [first = "", ...rest] = info.path.split("/").filter((part) => part !== "");
  const serve = EXACT.has(first) && info.path.endsWith("/") ? sendNone : PATHS[first];
  if (serve !== undefined) serve(context, rest, exchange);
  else if (first !== "" && info.path !== "/index.html") sendNoPage(exchange);
  else sendJson(exchange.response, { paths: allPaths(context) });
}

function allPaths({ registry, documents }: PathContext): string[] {
  const groups = registry.groups().filter(({ group }) => group !== "");
  const paths = [
    ...Object.keys(documents),
    ...[
      "/api",
      "/api/v1",
      "/apis",
      "/apis/",
      "/openapi/v2",
      "/openapi/v3",
      "/openapi/v3/",
      "/version",
      "/metrics",
      "/metrics/slis",
    ],
    ...groups.flatMap(({ group, versions }) => [
      `/apis/${group}`,
      ...versions.map((version) => `/apis/${group}/${version}`),
    ]),
    ...healthPaths(),
  ];
  return paths.sort();
}

/** Paths below these are no others with a slash behind them. */
const EXACT = new Set(["healthz", "livez", "readyz", "openapi"]);

type PathServer = (context: PathContext, rest: readonly string[], exchange: Exchange) => void;

const sendNone: PathServer = (_context, rest, exchange) => {
  if (rest.join("/") === "v3") sendEmpty(exchange.response, 404);
  else sendNoPage(exchange);
};

const health =
  (endpoint: string): PathServer =>
  (context, rest, exchange) =>
    serveHealth({ endpoint, check: rest.join("/"), well: context.isReady() }, exchange);

const isGroup = (registry: Registry, name: string) => registry.groups().some(({ group }) => group === name);

const PATHS: Readonly<Record<string, PathServer>> = {
  healthz: health("healthz"),
  readyz: health("readyz"),
  livez: health("livez"),
  version(_context, [more], exchange) {
    if (more !== undefined) throw noSuchResource();
    checkDocument(exchange.request, ["application/json"]);
    sendJson(exchange.response, VERSION, { contentType: "application/json" });
  },
  api: ({ registry, serverAddress }, [version], exchange) => {
    if (version !== undefined) return sendKnown(exchange, resourceList(registry, "", version));
    checkDocument(exchange.request, WRITTEN);
    if (!sendAggregated(registry, true, exchange)) sendWritten(exchange, coreVersions(serverAddress()));
  },
  apis: ({ registry }, [group, version], exchange) => {
    if (group !== undefined && !isGroup(registry, group)) return sendNoPage(exchange);
    if (group !== undefined && version !== undefined)
      return sendKnown(exchange, resourceList(registry, group, version));
    if (group !== undefined) return sendWritten(exchange, groupOf(registry, group));
    if (!sendAggregated(registry, false, exchange)) sendWritten(exchange, groupList(registry));
  },
  metrics({ metrics }, [part, more], exchange) {
    if (more !== undefined || (part !== undefined && part !== "slis")) return sendNoPage(exchange);
    const text = part === undefined ? metrics() : renderChecks(healthChecks());
    exchange.response.setHeader("process-start-time-unix", Math.floor(performance.timeOrigin / 1000));
    send(exchange.response, text, { contentType: METRICS_TYPE });
  },
  openapi: ({ openApi }, rest, exchange) => serveOpenApi(openApi, rest, exchange),
};

type Sent = Parameters<typeof sendJson>[1];

/** A list of resources. */
function sendKnown({ request, response }: Exchange, document: Sent | undefined): void {
  if (document === undefined) throw noSuchResource();
  checkDocument(request, WRITTEN);
  sendWritten({ request, response }, document);
}

/** A document of discovery in a form that the client accepts. */
function sendWritten({ request, response }: Exchange, document: Sent | undefined): void {
  if (document === undefined) throw noSuchResource();
  if (negotiate(request.headers.accept ?? "") === undefined) throw nothingAccepted();
  sendJson(response, document);
}

const AGGREGATED = { as: "APIGroupDiscoveryList", g: "apidiscovery.k8s.io", v: "v2" };

/** Wherever the aggregated form stands among what the client accepts, it is the one. */
const wantsAggregated = ({ headers }: ApiRequest) =>
  acceptClauses(headers.accept ?? "").some(
    ({ type, parameters }) =>
      ["application/json", "application/*", "*/*"].includes(type) &&
      Object.entries(AGGREGATED).every(([name, value]) => parameters.get(name) === value),
  );

function sendAggregated(registry: Registry, core: boolean, { request, response }: Exchange): boolean {
  if (!wantsAggregated(request)) return false;
  const contentType = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
  const body = JSON.stringify(aggregated(registry, core));
  const etag = `"${createHash("sha512").update(body).digest("hex").toUpperCase()}"`;
  response.setHeader("etag", etag);
  response.setHeader("vary", "Accept");
  // Clients keep it and ask whether it is still so.
  const cacheControl = "public";
  response.setHeader("cache-control", cacheControl);
  if (request.headers["if-none-match"] === etag) sendEmpty(response, 304);
  else send(response, body, { contentType, cacheControl });
  return true;
}
