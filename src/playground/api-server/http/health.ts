// /healthz, /livez and /readyz: the words that probes and people read. The checks have the names that Kubernetes gives
// its own; what this server does not have apart is as well as the server is.

import type { ApiRequest, ApiResponse } from "../contract.ts";
import { send } from "./respond.ts";

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
  "aggregator-reload-proxy-client-cert",
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

/** All checks, by the endpoint that makes them. */
export const healthChecks = (): readonly { readonly type: string; readonly name: string }[] =>
  Object.entries(CHECKS).flatMap(([type, checks]) => checks.map((name) => ({ type, name })));

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
  const query = queryOf(request.url ?? "");
  const { code, text } = at.check === "" ? allChecks(at, query) : oneCheck(at);
  // One check that is well says only so.
  if (at.check === "" || code !== 200) response.setHeader("x-content-type-options", "nosniff");
  send(response, text, { code, contentType: "text/plain; charset=utf-8" });
}

interface HealthAnswer {
  readonly code: number;
  readonly text: string;
}

type At = Parameters<typeof serveHealth>[0];

const isFailing = ({ well }: At, check: string) => !well && check === "shutdown";

function oneCheck(at: At): HealthAnswer {
  if (!CHECKS[at.endpoint]?.includes(at.check)) return { code: 404, text: "404 page not found\n" };
  if (!isFailing(at, at.check)) return { code: 200, text: "ok" };
  return { code: 500, text: "internal server error: process is shutting down\n" };
}

function allChecks(at: At, query: URLSearchParams): HealthAnswer {
  const excluded = query.getAll("exclude");
  const checks = CHECKS[at.endpoint] ?? [];
  const lines = checks.map((name) => {
    if (excluded.includes(name)) return `[+]${name} excluded: ok\n`;
    return isFailing(at, name) ? `[-]${name} failed: reason withheld\n` : `[+]${name} ok\n`;
  });
  const unknown = [...new Set(excluded)].filter((name) => !checks.includes(name)).sort();
  if (unknown.length > 0) {
    const names = unknown.map((name) => JSON.stringify(name)).join(",");
    lines.push(`warn: some health checks cannot be excluded: no matches for ${names}\n`);
  }
  const list = lines.join("");
  if (checks.some((name) => isFailing(at, name) && !excluded.includes(name))) {
    return { code: 500, text: `${list}${at.endpoint} check failed\n` };
  }
  return { code: 200, text: query.has("verbose") ? `${list}${at.endpoint} check passed\n` : "ok" };
}

function queryOf(url: string): URLSearchParams {
  const at = url.indexOf("?");
  return new URLSearchParams(at < 0 ? "" : url.slice(at));
}
