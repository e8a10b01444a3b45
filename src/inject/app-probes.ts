// A kubelet's probe carries no mesh certificate and would die at a strict proxy, so the agent asks in its place:
// probes are turned to the agent's port, and the agent learns the real ones from ISTIO_KUBE_APP_PROBERS.
import type { Container, HTTPGetAction, IntOrString, LifecycleHandler, Probe } from "#api/kubernetes/gen/types";

const PROBES = { readinessProbe: "readyz", livenessProbe: "livez", startupProbe: "startupz" } as const;
const HOOKS = { postStart: "poststartz", preStop: "prestopz" } as const;

export interface RewrittenProbes {
  readonly containers: Container[];
  /** From path at the agent to the real probe; empty when nothing was rewritten. */
  readonly probers: Readonly<Record<string, unknown>>;
}

/** Rewrites HTTP, TCP and gRPC probes and HTTP and TCP hooks; exec stays as it is. Gives new containers. */
export function rewriteAppProbes(containers: readonly Container[], statusPort: number): RewrittenProbes {
  const probers: Record<string, unknown> = {};
  const rewritten = containers.map((container) => {
    const copy: Container = { ...container };
    for (const [field, name] of Object.entries(PROBES) as [keyof typeof PROBES, string][]) {
      const probe = container[field];
      const path = `/app-health/${container.name}/${name}`;
      const real = probe && realProbe(probe, container, statusPort);
      if (probe === undefined || real === undefined) continue;
      probers[path] = real;
      copy[field] = askAgent(probe, path, statusPort);
    }
    rewriteHooks(copy, container, { statusPort, probers });
    return copy;
  });
  return { containers: rewritten, probers };
}

function realProbe(probe: Probe, container: Container, statusPort: number): Record<string, unknown> | undefined {
  const timeout = probe.timeoutSeconds === undefined ? {} : { timeoutSeconds: probe.timeoutSeconds };
  if (probe.grpc !== undefined) return { grpc: probe.grpc, ...timeout };
  const handler = realHandler(probe, container, statusPort);
  return handler === undefined ? undefined : { ...handler, ...timeout };
}

function realHandler(
  handler: { httpGet?: HTTPGetAction; tcpSocket?: { host?: string; port: IntOrString } },
  container: Container,
  statusPort: number,
): Record<string, unknown> | undefined {
  const { httpGet, tcpSocket } = handler;
  const port = numericPort(httpGet?.port ?? tcpSocket?.port, container);
  // A port name that no container port has would fail without us too; a probe of the agent needs no detour.
  if (port === undefined || port === statusPort) return undefined;
  if (httpGet !== undefined) return { httpGet: { ...httpGet, port } };
  return { tcpSocket: { ...tcpSocket, port } };
}

function numericPort(port: IntOrString | undefined, container: Container): number | undefined {
  if (port === undefined || typeof port === "number") return port;
  const named = container.ports?.find((candidate) => candidate.name === port)?.containerPort;
  return named ?? (/^\d+$/.test(port) ? Number(port) : undefined);
}

function askAgent(probe: Probe, path: string, statusPort: number): Probe {
  const { httpGet, tcpSocket: _tcp, grpc: _grpc, ...timing } = probe;
  const headers = httpGet?.httpHeaders === undefined ? {} : { httpHeaders: httpGet.httpHeaders };
  return { ...timing, httpGet: { path, port: statusPort, ...headers } };
}

function rewriteHooks(
  copy: Container,
  container: Container,
  into: { statusPort: number; probers: Record<string, unknown> },
): void {
  for (const [field, name] of Object.entries(HOOKS) as [keyof typeof HOOKS, string][]) {
    const hook: LifecycleHandler | undefined = container.lifecycle?.[field];
    const real = hook && realHandler(hook, container, into.statusPort);
    if (real === undefined) continue;
    const path = `/app-lifecycle/${container.name}/${name}`;
    into.probers[path] = real;
    copy.lifecycle = { ...copy.lifecycle, [field]: { httpGet: { path, port: into.statusPort } } };
  }
}
