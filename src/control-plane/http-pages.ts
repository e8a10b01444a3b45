// Readiness, metrics, version and debug pages over plain HTTP. Readiness and metrics are open, as probes and scrapers
// need them. Debug pages tell the inside of the mesh: they answer callers on loopback (a port-forward ends there) and
// bearers of a service account token of the control plane's own namespace, nobody else.
import type { IncomingMessage, RequestListener } from "node:http";
import { ISTHMUS_VERSION } from "#api/constants/names";
import type { Logger } from "#base/logger";
import { errorMessage } from "#base/mesh-error";
import type { Authenticate } from "./authenticate.ts";
import { DEBUG_PAGES, type DebugSources } from "./debug-pages.ts";

export interface HttpPagesOptions {
  readonly sources: DebugSources;
  readonly whyNotReady: () => string | undefined;
  readonly metrics: { readonly contentType: string; metrics(): Promise<string> };
  readonly authenticate: Authenticate;
  readonly namespace: string;
  readonly logger: Logger;
}

interface PageAnswer {
  readonly status: number;
  readonly type?: string;
  readonly body: string;
}

const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/;

export function httpPages(options: HttpPagesOptions): RequestListener {
  return (request, response) => {
    answer(request, options)
      .catch((thrown: unknown) => ({ status: 404, body: `${errorMessage(thrown)}\n` }))
      .then(({ status, body, ...rest }: PageAnswer) => {
        response.writeHead(status, { "content-type": rest.type ?? "text/plain; charset=utf-8" });
        response.end(request.method === "HEAD" ? undefined : body);
      })
      .catch((thrown: unknown) => options.logger.debug({ error: errorMessage(thrown) }, "a page's reader went away"));
  };
}

async function answer(request: IncomingMessage, options: HttpPagesOptions): Promise<PageAnswer> {
  const url = new URL(request.url ?? "/", "http://localhost");
  const open = OPEN_PAGES[url.pathname];
  if (open !== undefined) return await open(options);
  const name = /^\/debug\/?([^/]*)$/.exec(url.pathname)?.[1];
  if (name === undefined) return { status: 404, body: `no page ${url.pathname}\n` };
  if (!(await mayDebug(request, options))) {
    return { status: 403, body: "debug pages answer on loopback only: use kubectl port-forward\n" };
  }
  const page = DEBUG_PAGES[name === "" ? "list" : name];
  if (page === undefined) return { status: 404, body: `no debug page ${name}; see /debug/list\n` };
  const value = await page.render(options.sources, url.searchParams);
  return { status: 200, type: "application/json", body: `${JSON.stringify(value, undefined, 2)}\n` };
}

const OPEN_PAGES: Readonly<Record<string, (options: HttpPagesOptions) => PageAnswer | Promise<PageAnswer>>> = {
  "/ready": ({ whyNotReady }) => {
    const why = whyNotReady();
    return why === undefined ? { status: 200, body: "" } : { status: 503, body: `not ready: ${why}\n` };
  },
  "/metrics": async ({ metrics }) => ({ status: 200, type: metrics.contentType, body: await metrics.metrics() }),
  "/version": () => ({ status: 200, body: ISTHMUS_VERSION }),
};

async function mayDebug(request: IncomingMessage, options: HttpPagesOptions): Promise<boolean> {
  if (LOOPBACK.test(request.socket.remoteAddress ?? "")) return true;
  const { authorization } = request.headers;
  if (authorization === undefined) return false;
  try {
    const { namespace } = await options.authenticate({ uris: [], authorization });
    return namespace === options.namespace;
  } catch (thrown) {
    options.logger.debug({ error: errorMessage(thrown) }, "debug caller refused");
    return false;
  }
}
