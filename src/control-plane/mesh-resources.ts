// Plugs the mesh into the xDS engine: what each proxy may read, and whom a change concerns.
import type { ResourceSource, Touched, XdsPeer } from "#ads/resource-source";
import { MeshError } from "#base/mesh-error";
import type { XdsNode, XdsResource } from "#envoy/discovery";
import { parseClusterName, parseSniClusterName } from "#envoy/names";
import { XDS_TYPES, type XdsType, xdsTypeOf } from "#envoy/types";
import { GrpcError } from "#grpc/grpc-error";
import type { MeshChange } from "#model/mesh-change";
import type { MeshSnapshot } from "#model/mesh-snapshot";
import { type MeshProxy, proxyFromNode } from "#model/proxy";
import { generate } from "#xds/generate";
import { impactOf } from "#xds/impact";
import { type ProxyView, proxyView } from "#xds/proxy-view";
import { needsEndpoints } from "#xds/service-targets";
import type { Authenticate, CallerIdentity } from "./authenticate.ts";
import { type MeshPush, mergePushes } from "./push-batcher.ts";
import { ResourceCache } from "./resource-cache.ts";

/** One connected proxy. */
export interface MeshSession {
  readonly proxy: MeshProxy;
  /** Undefined on the plain-text port. */
  readonly identity: CallerIdentity | undefined;
  /** Hostnames whose endpoints it reads; only ever grows, which costs a needless look at most. */
  readonly hostnames: Set<string>;
}

export interface MeshResourcesOptions {
  /** The newest snapshot, asked for until the first push. */
  readonly snapshot: () => MeshSnapshot;
  readonly authenticate: Authenticate;
  /** Undefined when streams may be served, else why not. */
  readonly whyNotReady: () => string | undefined;
  /** Refuse a proxy that names another identity than it proved. */
  readonly identityCheck: boolean;
}

export interface MeshResources extends ResourceSource<MeshSession, MeshPush> {
  /** Makes the snapshot of a push the one that is read; to be called before the push goes out. */
  publish(push: MeshPush): void;
  sessions(): ReadonlySet<MeshSession>;
  viewOf(proxy: MeshProxy): ProxyView;
}

export function createMeshResources(options: MeshResourcesOptions): MeshResources {
  const sessions = new Set<MeshSession>();
  const readers = new Map<string, Set<MeshSession>>();
  const cache = new ResourceCache({ view: proxyView, ownEndpoints, generate });
  let published: MeshSnapshot | undefined;
  const snapshot = () => published ?? options.snapshot();
  return {
    sessions: () => sessions,
    viewOf: (proxy) => cache.view(snapshot(), proxy),
    publish(push) {
      published = push.snapshot;
    },
    async open(node, peer) {
      const why = options.whyNotReady();
      if (why !== undefined) throw new GrpcError("unavailable", `not ready: ${why}`);
      const identity = await identify(peer, options);
      const proxy = readProxy(node);
      if (identity !== undefined && options.identityCheck) assertSameIdentity(identity, proxy, node);
      const session: MeshSession = { proxy, identity, hostnames: new Set() };
      sessions.add(session);
      return session;
    },
    read(session, typeUrl, names) {
      const type = xdsTypeOf(typeUrl);
      if (type === undefined) return [];
      for (const hostname of hostnamesOf(type, names)) noteReader(session, hostname, readers);
      for (const hostname of cache.ownEndpoints(snapshot(), session.proxy)) noteReader(session, hostname, readers);
      return cache.read(snapshot(), session.proxy, { type, names }) satisfies readonly XdsResource[];
    },
    impact(session, push) {
      const impact = impactOf(push.changes, cache.view(snapshot(), session.proxy));
      return new Map<string, Touched>([...impact].map(([type, touched]) => [XDS_TYPES[type], touched]));
    },
    merge: mergePushes,
    affected: (push) => affectedBy(push, readers),
    close(session) {
      sessions.delete(session);
      for (const hostname of session.hostnames) {
        const left = readers.get(hostname);
        left?.delete(session);
        if (left?.size === 0) readers.delete(hostname);
      }
    },
  };
}

async function identify(peer: XdsPeer, options: MeshResourcesOptions): Promise<CallerIdentity | undefined> {
  if (!peer.encrypted) return undefined;
  return await options.authenticate({
    uris: peer.uris,
    authorization: peer.metadata["authorization"],
    clusterId: peer.metadata["clusterid"],
  });
}

function readProxy(node: XdsNode): MeshProxy {
  try {
    return proxyFromNode(node.id, node.metadata, node.locality);
  } catch (thrown) {
    throw new GrpcError("invalidArgument", MeshError.from(thrown).message);
  }
}

/** A proxy may only ask for what its own workload may see. */
function assertSameIdentity(identity: CallerIdentity, proxy: MeshProxy, node: XdsNode): void {
  const account = node.metadata["SERVICE_ACCOUNT"];
  const sameAccount = typeof account !== "string" || account === "" || account === identity.serviceAccount;
  if (identity.namespace === proxy.namespace && sameAccount) return;
  const claim = `namespace ${proxy.namespace}, service account ${proxy.serviceAccount}`;
  throw new GrpcError("permissionDenied", `node ${node.id} claims ${claim}, but its caller is ${identity.uri}`);
}

/** Stands for a reader of all endpoints; no hostname looks like it. */
const ALL_HOSTNAMES = "*";

function hostnamesOf(type: XdsType, names: readonly string[] | undefined): string[] {
  if (type !== "EDS") return [];
  if (names === undefined) return [ALL_HOSTNAMES];
  return names.flatMap((name) => (parseClusterName(name) ?? parseSniClusterName(name))?.hostname ?? []);
}

function ownEndpoints({ snapshot, proxy }: ProxyView): readonly string[] {
  return [...snapshot.services.values()].flatMap((service) => (needsEndpoints(service, proxy) ? service.hostname : []));
}

function noteReader(session: MeshSession, hostname: string, readers: Map<string, Set<MeshSession>>): void {
  if (session.hostnames.has(hostname)) return;
  session.hostnames.add(hostname);
  const known = readers.get(hostname);
  if (known === undefined) readers.set(hostname, new Set([session]));
  else known.add(session);
}

/** For endpoints alone: those that read them. For anything else: undefined, each is asked. */
function affectedBy(
  push: MeshPush,
  readers: ReadonlyMap<string, ReadonlySet<MeshSession>>,
): Iterable<MeshSession> | undefined {
  const affected = new Set<MeshSession>(readers.get(ALL_HOSTNAMES));
  for (const change of push.changes) {
    if (!isEndpointsOfClusters(change, push.snapshot)) return undefined;
    const hostname = change.service.slice(change.service.indexOf("/") + 1);
    for (const session of readers.get(hostname) ?? []) affected.add(session);
  }
  return affected;
}

/** Headless services show their endpoints in listeners too, and identities show in clusters. */
function isEndpointsOfClusters(
  change: MeshChange,
  snapshot: MeshSnapshot,
): change is Extract<MeshChange, { kind: "endpoints" }> {
  if (change.kind !== "endpoints" || change.identitiesChanged) return false;
  return snapshot.services.get(change.service)?.resolution === "client-side";
}
