// The helloworld application: says its version and the name of the pod that answers.
import { createServer } from "node:http";

const { SERVICE_VERSION = "unknown", HOSTNAME = "localhost" } = process.env;
const answers = {
  "/hello": `Hello version: ${SERVICE_VERSION}, instance: ${HOSTNAME}\n`,
  "/health": "Helloworld is healthy\n",
};

const server = createServer((request, response) => {
  const answer = answers[new URL(request.url ?? "/", "http://helloworld").pathname];
  response.writeHead(answer ? 200 : 404, { "content-type": "text/html; charset=utf-8" });
  response.end(answer ?? "Not found\n");
});
server.keepAliveTimeout = 65_000;
server.listen(5000, "0.0.0.0", () => console.log(`helloworld ${SERVICE_VERSION} listens on port 5000`));

for (const signal of ["SIGTERM", "SIGINT"]) {
  process.once(signal, () => {
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  });
}
