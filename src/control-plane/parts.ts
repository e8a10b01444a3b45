// What the components share, made once in the order of its needs.
import { NAMES } from "#api/constants/names";
import type { Clock } from "#base/clock";
import type { Logger } from "#base/logger";
import type { ResolveHost } from "#ingest/gateway-hosts";
import { MeshStore } from "#ingest/mesh-store";
import type { KubeClient } from "#kube/kube-client";
import { clusterId } from "#model/ids";
import { type Authenticate, createAuthenticator } from "./authenticate.ts";
import { Authority } from "./authority.ts";
import { loadOrCreateSelfSignedCa } from "./ca-material.ts";
import { type InjectionWatch, watchInjection } from "./injection-watch.ts";
import { createMeshResources, type MeshResources } from "./mesh-resources.ts";
import { type MeshWatch, watchMesh } from "./mesh-watch.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import type { ControlPlaneOptions } from "./options.ts";
import { createPushes, type Pushes } from "./pushes.ts";
import { createHostResolver } from "./resolve-host.ts";
import type { OnListening } from "./servers.ts";
import { ServingCertificate, servingNames } from "./serving-certificate.ts";
import { type TrustWatch, watchTrust } from "./trust.ts";

export interface ControlPlaneHost {
  /** Client of the own cluster; closed by the caller. */
  readonly client: KubeClient;
  /** Makes the client of a remote cluster from the kubeconfig in its secret; may throw. */
  readonly createRemoteClient: (kubeconfig: string) => KubeClient;
  /** How to ask DNS; the servers of /etc/resolv.conf when not given. */
  readonly resolveHost?: ResolveHost;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends everything. */
  readonly signal: AbortSignal;
  readonly onListening?: OnListening;
}

interface Facts {
  readonly store: MeshStore;
  readonly mesh: MeshWatch;
  readonly injection: InjectionWatch;
}

interface Identity {
  readonly authority: Authority;
  readonly certificate: ServingCertificate;
  readonly trust: TrustWatch;
  readonly authenticate: Authenticate;
}

interface Serving {
  readonly metrics: Metrics;
  readonly resources: MeshResources;
  readonly pushes: Pushes;
}

export interface Parts extends Facts, Identity, Serving {}

/** Watching starts at once; the CA, which may wait for the API server, is loaded meanwhile. */
export async function buildParts(options: ControlPlaneOptions, host: ControlPlaneHost): Promise<Parts> {
  const facts = watchFacts(options, host);
  const identity = await buildIdentity(options, host, facts);
  const serving = buildServing(options, host, { ...facts, ...identity });
  return { ...facts, ...identity, ...serving };
}

function watchFacts(options: ControlPlaneOptions, host: ControlPlaneHost): Facts {
  const { namespace, revision, nativeSidecars, domain } = options;
  const { client, createRemoteClient, clock, logger, signal } = host;
  const store = new MeshStore({
    ownCluster: clusterId(options.clusterId),
    systemNamespace: namespace,
    domain,
    clock,
  });
  return {
    store,
    mesh: watchMesh({
      client,
      createRemoteClient,
      store,
      clusterId: options.clusterId,
      revision,
      remoteTimeoutMs: options.remoteTimeoutMs,
      resolveHost: options.resolveGatewayHosts ? (host.resolveHost ?? createHostResolver()) : undefined,
      clock,
      logger,
      signal,
    }),
    injection: watchInjection({ client, namespace, revision, nativeSidecars, logger, signal }),
  };
}

async function buildIdentity(options: ControlPlaneOptions, host: ControlPlaneHost, facts: Facts): Promise<Identity> {
  const { namespace, revision, multiRoot, clusterId: ownCluster } = options;
  const { client, clock, logger, signal } = host;
  const { store, mesh } = facts;
  const authority = await Authority.load({
    folder: options.plugInCaDir,
    selfSigned: () =>
      loadOrCreateSelfSignedCa({ client, namespace, trustDomain: NAMES.trustDomain, clock, logger, signal }),
    multiRoot,
    logger,
    clock,
  });
  logger.info({ source: authority.source, root: authority.current.rootFingerprint }, "the CA is ready");
  const names = servingNames(namespace, revision);
  const certificate = await ServingCertificate.issue({ authority, names, clock, logger });
  const trust = watchTrust({ authority, logger, signal });
  trust.update(mesh.remoteClusters.status());
  mesh.onRemoteChange((statuses) => trust.update(statuses));
  const trustDomains = () => {
    const { trustDomain, trustDomainAliases } = store.current.mesh.config;
    return { own: trustDomain, aliases: trustDomainAliases };
  };
  const clientOf = (cluster: string) => mesh.clientOf(cluster);
  return { authority, certificate, trust, authenticate: createAuthenticator({ ownCluster, clientOf, trustDomains }) };
}

function buildServing(options: ControlPlaneOptions, host: ControlPlaneHost, parts: Facts & Identity): Serving {
  const { clock, logger, signal } = host;
  const { store, mesh, authority, authenticate } = parts;
  const resources = createMeshResources({
    snapshot: () => store.current,
    authenticate,
    whyNotReady: () => mesh.whyNotReady(),
    identityCheck: options.identityCheck,
  });
  const metrics = createMetrics({
    connections: () => resources.sessions().size,
    services: () => store.current.services.size,
    remoteClusters: () => mesh.remoteClusters.status(),
    rootExpiry: () => authority.current.notAfter.getTime() / 1000,
  });
  countTimeouts(mesh, metrics);
  const debounce = {
    quietMs: options.debounceAfterMs,
    maxMs: options.debounceMaxMs,
    debounceEndpoints: options.debounceEndpoints,
  };
  return { metrics, resources, pushes: createPushes({ store, resources, metrics, debounce, clock, logger, signal }) };
}

function countTimeouts(mesh: MeshWatch, metrics: Metrics): void {
  let timedOut = new Set<string>();
  mesh.onRemoteChange((statuses) => {
    const now = statuses.filter(({ syncStatus }) => syncStatus === "timeout").map(({ id }) => id as string);
    for (const id of now) if (!timedOut.has(id)) metrics.remoteTimeouts.inc();
    timedOut = new Set(now);
  });
}
