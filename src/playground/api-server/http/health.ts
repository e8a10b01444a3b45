// /healthz, /livez and /readyz: the words that probes and people read. The checks have the names that Kubernetes gives
// its own; what this server does not have apart is as well as the server is.
import { send } from "./respond.ts";
import type { ApiRequest, ApiResponse } from "../contract.ts";

const FIRST = ["ping", "log", "etcd"];
const READY_ONLY = ["etcd-readiness", "informer-sync"];
const HOOKS = [
  "start-apiserver-admission-initializer",
  "generic-apiserver-start-informers",
  "priority-and-fairness-config-consumer",
  "priority-and-fairness-filter",
  "storage-object-count-tracker-hook",
  "start-apiextensions-informers",
  "start-apiextensions-controllers",
  "crd-informer-synced",
  "start-system-namespaces-controller",
  "start-cluster-authentication-info-controller",
  "start-kube-apiserver-identity-lease-controller",
  "start-kube-apiserver-identity-lease-garbage-collector",
  "start-legacy-token-tracking-controller",
  "start-service-ip-repair-controllers",
  "rbac/bootstrap-roles",
  "scheduling/bootstrap-system-priority-classes",
  "priority-and-fairness-config-producer",
  "bootstrap-controller",
  "start-kubernetes-service-cidr-controller",
  "start-kube-aggregator-informers",
  "apiservice-status-local-available-controller",
  "apiservice-status-remote-available-controller",
  "apiservice-registration-controller",
  "apiservice-discovery-controller",
  "kube-apiserver-autoregistration",
];
const LAST = [
  "autoregister-completion",
  "poststarthook/apiservice-openapi-controller",
  "poststarthook/apiservice-openapiv3-controller",
];

const hooks = HOOKS.map((name) => `poststarthook/${name}`);
const live = [...FIRST, ...hooks, ...LAST];
const CHECKS: Readonly<Record<string, readonly string[]>> = {
  healthz: live,
  livez: live,
  readyz: [...FIRST, ...READY_ONLY, ...hooks, ...LAST, "shutdown"],
};

/** All paths below / that answer with one check. */
export function healthPaths(): string[] {
  return Object.entries(CHECKS).flatMap(([endpoint, checks]) => [
    `/${endpoint}`,
    ...checks.map((check) => `/${endpoint}/${check}`),
  ]);
}

/** `check` is what stands behind the endpoint, "" for all checks. `well` is false while the server stops. */
export function serveHealth(
  at: { readonly endpoint: string; readonly check: string; readonly well: boolean },
  { request, response }: { readonly request: ApiRequest; readonly response: ApiResponse },
): void {
  const { endpoint, check, well } = at;
  const checks = CHECKS[endpoint] ?? [];
  const query = queryOf(request.url ?? "");
  const failing = (name: string) => !well && name === "shutdown";
  const plain = { contentType: "text/plain; charset=utf-8" };
  if (check !== "") {
    if (!checks.includes(check)) return send(response, "404 page not found\n", { code: 404, ...plain });
    if (!failing(check)) return send(response, "ok", plain);
    return send(response, "internal server error: process is shutting down\n", { code: 500, ...plain });
  }
  const excluded = query.getAll("exclude");
  const lines = checks.map((name) => {
    if (excluded.includes(name)) return `[+]${name} excluded: ok\n`;
    return failing(name) ? `[-]${name} failed: reason withheld\n` : `[+]${name} ok\n`;
  });
  const bad = checks.some((name) => failing(name) && !excluded.includes(name));
  if (bad) return send(response, `${lines.join("")}${endpoint} check failed\n`, { code: 500, ...plain });
  send(response, query.has("verbose") ? `${lines.join("")}${endpoint} check passed\n` : "ok", plain);
}

function queryOf(url: string): URLSearchParams {
  const at = url.indexOf("?");
  return new URLSearchParams(at < 0 ? "" : url.slice(at));
}
