// What a sidecar's agent does in the application's place: asks its probes and collects its metrics.
import type { Container, EnvVar, Pod } from "#api/kubernetes/gen/types";
import { rewriteAppProbes } from "./app-probes.ts";
import { type InjectionContext, PROXY_CONTAINER } from "./injection-context.ts";
import { readBoolean } from "./raw-object.ts";

/** Turns probes and scrape annotations of the merged pod to the agent; the agent learns the real ones by environment. */
export function rewriteForAgent(pod: Pod, context: InjectionContext): Pod {
  const probed = rewriteProbes(pod, context);
  return redirectScrapes(probed, context);
}

function rewriteProbes(pod: Pod, context: InjectionContext): Pod {
  const asked = readBoolean({ v: context.annotations["sidecar.istio.io/rewriteAppHTTPProbers"] }, "v");
  const wanted = asked ?? context.settings.rewriteAppHTTPProbe;
  if (!wanted || context.statusPort === 0 || pod.spec === undefined) return pod;
  const isApp = (container: Container) => container.name !== PROXY_CONTAINER;
  const apps = rewriteAppProbes(pod.spec.containers.filter(isApp), context.statusPort);
  if (Object.keys(apps.probers).length === 0) return pod;
  const byName = new Map(apps.containers.map((container) => [container.name, container]));
  const containers = pod.spec.containers.map((container) => byName.get(container.name) ?? container);
  const rewritten = { ...pod, spec: { ...pod.spec, containers } };
  return withProxyEnv(rewritten, { name: "ISTIO_KUBE_APP_PROBERS", value: JSON.stringify(apps.probers) });
}

/** `prometheus.io/scrape: "false"` is a wish to be left alone. */
function redirectScrapes(pod: Pod, context: InjectionContext): Pod {
  const { annotations, settings, statusPort } = context;
  const asked = readBoolean({ v: annotations["prometheus.istio.io/merge-metrics"] }, "v");
  if (!(asked ?? settings.enablePrometheusMerge) || statusPort === 0) return pod;
  const scrape = annotations["prometheus.io/scrape"];
  if (scrape === "false") return pod;
  const redirected: Pod = {
    ...pod,
    metadata: {
      ...pod.metadata,
      annotations: {
        ...pod.metadata?.annotations,
        "prometheus.io/scrape": "true",
        "prometheus.io/port": String(statusPort),
        "prometheus.io/path": "/stats/prometheus",
      },
    },
  };
  const port = annotations["prometheus.io/port"];
  if (scrape === undefined || port === String(statusPort)) return redirected;
  const real = { scrape, path: annotations["prometheus.io/path"] ?? "", port: port ?? "" };
  return withProxyEnv(redirected, { name: "ISTIO_PROMETHEUS_ANNOTATIONS", value: JSON.stringify(real) });
}

function withProxyEnv(pod: Pod, variable: EnvVar): Pod {
  const extend = (container: Container): Container =>
    container.name === PROXY_CONTAINER
      ? { ...container, env: [...(container.env ?? []).filter(({ name }) => name !== variable.name), variable] }
      : container;
  const { spec } = pod;
  if (spec === undefined) return pod;
  const init = spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(extend) };
  return { ...pod, spec: { ...spec, ...init, containers: spec.containers.map(extend) } };
}
