// healthCheckNodePort: tells load balancers outside whether this node has endpoints of a Service that keeps calls local.
import { createServer, type Server } from "node:http";
import type { EndpointSlice, Service } from "#api/kubernetes/gen/types";
import type { Logger } from "#base/logger";
import { errorMessage } from "#base/mesh-error";
import { type ProxyNode, servicePorts } from "./service-ports.ts";

export interface HealthCheck {
  readonly port: number;
  readonly namespace: string;
  readonly name: string;
  readonly localEndpoints: number;
}

/** Of every Service that has such a port: pure. */
export function healthChecks(
  services: readonly Service[],
  slices: readonly EndpointSlice[],
  on: ProxyNode,
): HealthCheck[] {
  return services.flatMap((service) => {
    const { healthCheckNodePort: port, externalTrafficPolicy, type } = service.spec ?? {};
    if (!port || type !== "LoadBalancer" || externalTrafficPolicy !== "Local") return [];
    const endpoints = servicePorts([service], slices, on).flatMap(({ externalEndpoints }) => externalEndpoints);
    const addresses = new Set(endpoints.map((endpoint) => endpoint.slice(0, endpoint.lastIndexOf(":"))));
    const { namespace = "", name = "" } = service.metadata ?? {};
    return [{ port, namespace, name, localEndpoints: addresses.size }];
  });
}

/** 200 with endpoints, 503 without, and how many in the body: as kube-proxy answers. */
export function healthAnswer({ namespace, name, localEndpoints }: HealthCheck): { status: number; body: string } {
  const body = { service: { namespace, name }, localEndpoints, serviceProxyHealthy: true };
  return { status: localEndpoints > 0 ? 200 : 503, body: JSON.stringify(body) };
}

export interface HealthCheckPorts {
  /** Listens on exactly these ports. A port that is taken is told and left out. */
  apply(checks: readonly HealthCheck[]): void;
  close(): void;
}

export function createHealthCheckPorts(address: string, logger: Logger): HealthCheckPorts {
  const servers = new Map<number, Server>();
  let current = new Map<number, HealthCheck>();
  const open = (port: number) => {
    const server = createServer((_, response) => {
      const check = current.get(port);
      const { status, body } = check ? healthAnswer(check) : { status: 503, body: "{}" };
      response.writeHead(status, { "content-type": "application/json", "x-content-type-options": "nosniff" }).end(body);
    });
    server.on("error", (error) => logger.warn({ port, error: errorMessage(error) }, "health check port not served"));
    server.listen(port, address);
    servers.set(port, server);
  };
  const closePort = (port: number) => {
    servers.get(port)?.close();
    servers.get(port)?.closeAllConnections();
    servers.delete(port);
  };
  return {
    apply(checks) {
      current = new Map(checks.map((check) => [check.port, check]));
      for (const port of servers.keys()) if (!current.has(port)) closePort(port);
      for (const port of current.keys()) if (!servers.has(port)) open(port);
    },
    close() {
      for (const port of [...servers.keys()]) closePort(port);
    },
  };
}
