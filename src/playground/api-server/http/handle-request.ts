// The way of every request: who asks, may they, what is it, and one place where errors become Status objects.
import { randomUUID } from "node:crypto";
import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { Logger } from "#base/logger";
import type { EngineParts } from "../api-context.ts";
import { notFound } from "../api-errors.ts";
import { forbiddenFor } from "../auth/forbidden.ts";
import {
  type ApiRequest,
  type ApiResponse,
  ApiStatusError,
  type Authenticator,
  type Authorizer,
  type PodConnector,
  type RequestInfo,
  type UserInfo,
  type VirtualResource,
} from "../contract.ts";
import type { FlowClassifier } from "../flow-control/flow-classifier.ts";
import { createOpenApiDocuments } from "../open-api/open-api-documents.ts";
import { type ResourceKind, storageKey } from "../resource-kind.ts";
import { negotiate, nothingAccepted } from "./media-types.ts";
import { withoutTables } from "./output-form.ts";
import { parseRequest, UnreadablePath } from "./request-info.ts";
import { createRequestMetrics } from "./request-metrics.ts";
import { checkTimeout } from "./request-timeout.ts";
import { sendJson, sendNoPage, statusError, writeAs } from "./respond.ts";
import { checkRoute } from "./routes.ts";
import { renderMetrics } from "./serve-metrics.ts";
import { type Documents, type PathContext, servePath } from "./serve-path.ts";
import { serveResource } from "./serve-resource.ts";

export interface HandlerOptions {
  readonly parts: EngineParts;
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  readonly flows: FlowClassifier;
  readonly virtualResources: readonly VirtualResource[];
  readonly pods: PodConnector;
  readonly logger: Logger;
  readonly serverAddress: () => string;
  /** Aborts when the server closes: watches end then. */
  readonly stopping: AbortSignal;
  /** What is served as it stands, by path. */
  readonly documents?: Documents;
}

export interface RequestHandler {
  serve(request: ApiRequest, response: ApiResponse): Promise<void>;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>;
}

/** What is wrong with a request for a log is told in a form that the client accepts. */
function checkLogAccepted({ subresource }: RequestInfo, { headers }: ApiRequest): void {
  if (subresource === "log" && negotiate(headers.accept ?? "", withoutTables) === undefined) throw nothingAccepted();
}

/** Subresources that lead into a pod; the engine only checks who may. */
const CONNECTIONS = new Set(["exec", "attach", "portforward", "log", "proxy"]);

const isConnection = (info: RequestInfo) =>
  info.isResource && info.group === "" && CONNECTIONS.has(info.subresource.split("/")[0] ?? "");

const isApply = ({ headers }: ApiRequest) => headers["content-type"]?.startsWith("application/apply-patch") === true;

export function createRequestHandler(options: HandlerOptions): RequestHandler {
  const { parts, logger } = options;
  const requests = createRequestMetrics();
  const paths: PathContext = {
    registry: parts.registry,
    openApi: createOpenApiDocuments(parts.registry),
    serverAddress: options.serverAddress,
    isReady: () => !options.stopping.aborted,
    metrics: () => renderMetrics({ registry: parts.registry, store: parts.store, requests, flows: options.flows }),
    documents: options.documents ?? {},
  };
  const resources = { parts, virtual: options.virtualResources, signal: options.stopping };

  const route = async (request: ApiRequest, response: ApiResponse) => {
    const { info, query } = parseRequest(request.method ?? "GET", request.url ?? "/");
    requests.begin({ info, query, apply: isApply(request) }, response);
    checkTimeout(info, query);
    const user = await admitted(options, request, info, response).catch((thrown: unknown) => {
      // What is refused before the API is reached must not be taken for a page.
      if (statusError(thrown).code !== 401) response.setHeader("x-content-type-options", "nosniff");
      throw thrown;
    });
    // Whoever serves paths by their beginning knows none that begins so.
    if (info.path.startsWith("//")) return sendNoPage({ response });
    if (!info.isResource) return servePath(paths, info, { request, response });
    if (!parts.registry.groups().some(({ group }) => group === info.group)) return sendNoPage({ response });
    const kind = parts.registry.find(info.group, info.version, info.resource);
    if (kind !== undefined && kind.custom === undefined) checkRoute(kind, info, request);
    if (isConnection(info)) {
      checkLogAccepted(info, request);
      if (kind !== undefined) checkConnected(parts, kind, info);
      return options.pods.serve(request, response, info);
    }
    return serveResource(resources, { request, response, info, query, user });
  };

  return {
    async serve(request, response) {
      response.setHeader("audit-id", auditId(request));
      const written = negotiate(request.headers.accept ?? "")?.written ?? "application/json";
      writeAs(response, written);
      try {
        await route(request, response);
      } catch (thrown) {
        if (thrown instanceof UnreadablePath) return failUnread(request, response, thrown);
        const error = statusError(thrown);
        if (error.code >= 500)
          logger.error({ method: request.method, path: request.url, error: stackOf(thrown) }, "request failed");
        writeAs(response, written);
        fail(response, error);
      }
    },
    async upgrade(request, socket, head) {
      socket.on("error", () => socket.destroy());
      try {
        const { info } = parseRequest(request.method ?? "GET", request.url ?? "/");
        if (!isConnection(info)) throw new ApiStatusError(400, "BadRequest", "this path takes no upgrade");
        await admitted(options, request, info);
        await options.pods.upgrade(request, socket, head, info);
      } catch (thrown) {
        refuseUpgrade(socket, statusError(thrown));
      }
    },
  };
}

/** Who wants to be led to an object that is not there is told so first. A proxy's name may say scheme and port. */
function checkConnected(
  { store }: EngineParts,
  kind: ResourceKind,
  { namespace, name, subresource }: RequestInfo,
): void {
  const proxied = subresource.startsWith("proxy") ? (/^(?:https?:)?([^:]*)/.exec(name)?.[1] ?? name) : name;
  if (store.get(storageKey(kind), kind.namespaced ? namespace : "", proxied) === undefined) throw notFound(kind, name);
}

/** Names the request in logs on both sides: the client's own name for it, or a new one. */
function auditId({ headers }: ApiRequest): string {
  const given = headers["audit-id"];
  return typeof given === "string" && given !== "" ? given : randomUUID();
}

const stackOf = (thrown: unknown) => (thrown instanceof Error ? thrown.stack : String(thrown));

/** Throws 401 or 403. The answer to whoever is known names their flow, whether they may or not. */
async function admitted(
  options: HandlerOptions,
  request: ApiRequest,
  info: RequestInfo,
  response?: ApiResponse,
): Promise<UserInfo> {
  const user = await options.authenticator.authenticate(request);
  const flow = response === undefined ? undefined : options.flows.classify(user, info);
  if (flow !== undefined) {
    response?.setHeader("x-kubernetes-pf-flowschema-uid", flow.schema);
    response?.setHeader("x-kubernetes-pf-prioritylevel-uid", flow.level);
  }
  const answer = options.authorizer.authorize(user, info);
  if (!answer.allowed) throw forbiddenFor(user, info, answer.reason);
  return user;
}

function fail(response: ApiResponse, error: ApiStatusError): void {
  // Half an answer is out already: only cutting it short tells the client.
  if (response.headersSent) response.destroy();
  else {
    const retry = error.details?.["retryAfterSeconds"];
    if (retry !== undefined) response.setHeader("retry-after", String(retry));
    sendJson(response, error.status(), { code: error.code });
  }
}

/** In plain words: nobody knows yet what the client accepts. */
function failUnread({ url = "" }: ApiRequest, response: ApiResponse, { message }: UnreadablePath): void {
  response.statusCode = 500;
  response.setHeader("content-type", "text/plain; charset=utf-8");
  response.setHeader("x-content-type-options", "nosniff");
  response.end(`Internal Server Error: ${JSON.stringify(url)}: ${message}\n`);
}

function refuseUpgrade(socket: Duplex, error: ApiStatusError): void {
  const body = JSON.stringify(error.status());
  const head = `HTTP/1.1 ${error.code} ${STATUS_CODES[error.code] ?? ""}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n`;
  socket.end(head + body);
}
