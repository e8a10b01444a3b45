// The component list: everything of the control plane that lives as long as the program, in start order.
import { setMaxListeners } from "node:events";
import { type Component, runAll } from "#base/component";
import { createGrpcServer } from "#grpc/server";
import { certificateService } from "./certificate-service.ts";
import type { DebugSources } from "./debug-pages.ts";
import { httpPages } from "./http-pages.ts";
import type { ControlPlaneOptions } from "./options.ts";
import { buildParts, type ControlPlaneHost, type Parts } from "./parts.ts";
import { rootCertificates } from "./root-certificates.ts";
import { type Door, type DoorName, grpcDoor, httpDoor, httpsDoor } from "./servers.ts";
import { webhookBundles } from "./webhook-bundles.ts";
import { webhookHandler } from "./webhook-server.ts";

/** Runs until the signal aborts. Throws MeshError when the CA cannot sign or a port is taken. */
export async function runControlPlane(options: ControlPlaneOptions, host: ControlPlaneHost): Promise<void> {
  if (host.signal.aborted) return;
  const stop = new AbortController();
  setMaxListeners(0, stop.signal); // every watch and component listens to it
  const onAbort = () => stop.abort(host.signal.reason);
  host.signal.addEventListener("abort", onAbort, { once: true });
  const inner = { ...host, signal: stop.signal };
  try {
    const parts = await buildParts(options, inner);
    await runAll(components(options, inner, parts), stop.signal, host.logger);
  } catch (thrown) {
    if (!host.signal.aborted) throw thrown; // told to stop while it was still waiting for the CA
  } finally {
    stop.abort(); // ends the watches, which belong to no component
    host.signal.removeEventListener("abort", onAbort);
  }
}

function components(options: ControlPlaneOptions, host: ControlPlaneHost, parts: Parts): Component[] {
  const { client, clock, logger } = host;
  const { authority, certificate } = parts;
  const { namespace, revision } = options;
  const door = (name: DoorName, address: Door["address"]): Door => ({ name, address, onListening: host.onListening });
  const pages = httpPages({
    sources: debugSources(options, parts),
    whyNotReady: () => parts.mesh.whyNotReady(),
    metrics: parts.metrics.registry,
    authenticate: parts.authenticate,
    namespace,
    logger,
  });
  return [
    { name: "certificate-authority", run: async (signal) => authority.watch(signal) },
    { name: "serving-certificate", run: (signal) => certificate.run(signal) },
    httpsDoor(door("webhooks", options.httpsAddr), webhooks(parts, logger), certificate),
    grpcDoor(door("secure-grpc", options.secureGrpcAddr), secureServer(options, host, parts)),
    grpcDoor(door("grpc", options.grpcAddr), plainServer(options, host, parts)),
    httpDoor(door("http", options.httpAddr), pages),
    httpDoor(door("monitoring", options.monitoringAddr), pages),
    // Roots and bundles invite callers, so they come after the doors.
    rootCertificates({ client, authority, clock, logger }),
    webhookBundles({ client, authority, namespace, revision, clock, logger }),
  ];
}

function secureServer(options: ControlPlaneOptions, host: ControlPlaneHost, parts: Parts) {
  const { authority, authenticate, certificate, metrics, pushes } = parts;
  const certificates = certificateService({
    authority: () => authority.current,
    authenticate,
    defaultTtl: options.workloadTtlMs / 1000,
    maxTtl: options.maxWorkloadTtlMs / 1000,
    meters: {
      request: () => metrics.certificateRequests.inc(),
      issued: () => metrics.certificatesIssued.inc(),
      unauthenticated: () => metrics.authenticationFailures.inc(),
      failed: () => metrics.certificatesFailed.inc(),
    },
    logger: host.logger,
  });
  const server = createGrpcServer({
    services: [pushes.ads.method, certificates],
    tls: certificate.current,
    maxConnectionAgeMs: options.maxConnectionAgeMs,
    logger: host.logger,
  });
  certificate.subscribe((renewed) => server.updateTls(renewed));
  return server;
}

/** Certificates are never given out in plain text. */
function plainServer(options: ControlPlaneOptions, host: ControlPlaneHost, { pushes }: Parts) {
  const { maxConnectionAgeMs } = options;
  return createGrpcServer({ services: [pushes.ads.method], maxConnectionAgeMs, logger: host.logger });
}

function webhooks({ injection, metrics }: Parts, logger: ControlPlaneHost["logger"]) {
  const outcomes = {
    injected: metrics.injectionSuccess,
    skipped: metrics.injectionSkip,
    failed: metrics.injectionFailure,
  };
  return webhookHandler({
    injection,
    meters: { request: () => metrics.injectionRequests.inc(), outcome: (result) => outcomes[result].inc() },
    logger,
  });
}

function debugSources(options: ControlPlaneOptions, parts: Parts): DebugSources {
  const { store, resources, pushes, mesh, trust, authority, injection } = parts;
  return {
    store,
    resources,
    ads: pushes.ads,
    remoteClusters: mesh.remoteClusters,
    trust,
    authority,
    injection,
    ownCluster: {
      id: options.clusterId,
      hasSynced: () => mesh.own.hasSynced(),
      problem: () => mesh.own.problem(),
    },
    podName: options.podName,
    lastPush: () => pushes.lastPush(),
  };
}
