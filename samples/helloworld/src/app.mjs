// The helloworld application: says its version and the name of the pod that answers. It counts what reached it, so that
// one can see at the application itself that a refused call never arrived.
import { createServer } from "node:http";

const { SERVICE_VERSION = "unknown", HOSTNAME = "localhost" } = process.env;
let requests = 0;
const pages = {
  "/hello": () => `Hello version: ${SERVICE_VERSION}, instance: ${HOSTNAME}\n`,
  "/health": () => "Helloworld is healthy\n",
  "/requests": () => `${requests}\n`,
};

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? "/", "http://helloworld");
  if (pathname !== "/requests") requests += 1;
  const page = Object.hasOwn(pages, pathname) ? pages[pathname] : undefined;
  response.writeHead(page ? 200 : 404, { "content-type": "text/html; charset=utf-8" });
  response.end(page?.() ?? "Not found\n");
});
server.keepAliveTimeout = 65_000;
server.listen(5000, "0.0.0.0", () => console.log(`helloworld ${SERVICE_VERSION} listens on port 5000`));

function end() {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
}

// Kubernetes ends a pod and takes it out of its Services at the same time, and other clusters hear of it last. Calls
// that are on their way are still answered: a second longer than a proxy beside it drains (5 s).
const LAST_CALLS_MS = 6000;
process.once("SIGTERM", () => setTimeout(end, LAST_CALLS_MS));
process.once("SIGINT", end);
