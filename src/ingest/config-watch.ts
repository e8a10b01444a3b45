// Istio objects are read from the own cluster only: policies do not travel between primaries.
import { NAMES } from "#api/constants/names";
import { Kinds, type ResourceType } from "#api/kinds";
import type { ConfigMap } from "#api/kubernetes/gen/types";
import { type KubeObject, objectKey } from "#api/kubernetes/object";
import { parseMeshConfig } from "#api/mesh-config/mesh-config";
import { parseMeshNetworks } from "#api/mesh-config/mesh-networks";
import { parseDestinationRule } from "#api/networking/destination-rule/parse";
import { parseGateway } from "#api/networking/gateway/parse";
import { parsePeerAuthentication } from "#api/security/peer-authentication/parse";
import type { Parsed, Violation } from "#api/violation";
import type { Clock } from "#base/clock";
import type { Logger } from "#base/logger";
import { startInformer } from "#kube/informer";
import { isNotFound, type KubeClient } from "#kube/kube-client";
import { clusterId } from "#model/ids";
import type { PolicyKind, PolicySpecs } from "#model/policies";
import { childSignal } from "./child-signal.ts";
import type { PolicyFact } from "./fact.ts";
import type { MeshStore } from "./mesh-store.ts";
import { gatewaysFromMeshNetworks } from "./network-gateways.ts";
import { projectObject } from "./project-object.ts";

export interface ConfigWatchOptions {
  /** Client of the own cluster. */
  readonly client: KubeClient;
  readonly store: MeshStore;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly clock: Clock;
  /** ConfigMap of the mesh configuration, default `istio`; a revision has its own. */
  readonly meshConfigMap?: string;
}

export interface ConfigWatch {
  /** Resolves when the mesh configuration and every kind that exists are in the store. */
  readonly synced: Promise<void>;
  hasSynced(): boolean;
}

type IstioObject = KubeObject & { readonly spec?: unknown };

interface PolicyRow<Kind extends PolicyKind> {
  readonly type: ResourceType;
  readonly parse: (spec: unknown) => Parsed<PolicySpecs[Kind]>;
}

/** A new kind is a row here, a folder in api and a reader in xds. */
const POLICIES: { readonly [Kind in PolicyKind]: PolicyRow<Kind> } = {
  Gateway: { type: Kinds.Gateway, parse: parseGateway },
  PeerAuthentication: { type: Kinds.PeerAuthentication, parse: parsePeerAuthentication },
  DestinationRule: { type: Kinds.DestinationRule, parse: parseDestinationRule },
};

/** Newest first: all versions carry the same content, and an older CRD may serve fewer of them. */
const VERSIONS = ["v1", "v1beta1", "v1alpha3"] as const;

/** Watches the own cluster's mesh configuration and Istio objects. A kind without CRD is waited for. */
export function watchConfig(watchOptions: ConfigWatchOptions): ConfigWatch {
  const options = { ...watchOptions, signal: childSignal(watchOptions.signal) };
  let done = false;
  const synced = Promise.all([
    watchMeshConfigMap(options),
    watchKind("Gateway", options),
    watchKind("PeerAuthentication", options),
    watchKind("DestinationRule", options),
  ]).then(() => {
    done = true;
  });
  synced.catch(() => {}); // an abort before the first lists is no failure of anyone
  return { synced, hasSynced: () => done };
}

function watchMeshConfigMap(options: ConfigWatchOptions): Promise<void> {
  const { store } = options;
  const { systemNamespace } = store.current.mesh;
  const name = meshConfigMapOf(options);
  return startInformer<ConfigMap>({
    client: options.client,
    signal: options.signal,
    logger: options.logger,
    clock: options.clock,
    type: Kinds.ConfigMap,
    namespace: systemNamespace,
    fieldSelector: `metadata.name=${name}`,
    project: projectObject,
    onChange: ({ type, object }) => applyMeshConfigMap(options, type === "DELETED" ? {} : (object.data ?? {})),
  }).synced;
}

function meshConfigMapOf({ meshConfigMap = NAMES.meshConfigMap }: ConfigWatchOptions): string {
  return meshConfigMap;
}

function applyMeshConfigMap(options: ConfigWatchOptions, data: Readonly<Record<string, string>>): void {
  const { store } = options;
  const object = `ConfigMap ${store.current.mesh.systemNamespace}/${meshConfigMapOf(options)}`;
  // Absent text is an empty document: the defaults.
  const config = accept(options, `${object} mesh`, parseMeshConfig(data["mesh"] ?? ""));
  if (config !== undefined) store.applyConfig([{ kind: "mesh-config", value: config }]);
  const networks = accept(options, `${object} meshNetworks`, parseMeshNetworks(data["meshNetworks"] ?? ""));
  if (networks === undefined) return;
  store.applyConfig([{ kind: "mesh-networks", value: networks }]);
  store.applyCluster(clusterId(""), [
    { kind: "gateways", source: "meshNetworks", value: gatewaysFromMeshNetworks(networks) },
  ]);
}

/** The value when the object is good; otherwise notes why it is refused, and the last good one stays in force. */
function accept<T>(options: ConfigWatchOptions, object: string, parsed: Parsed<T>): T | undefined {
  const { store, logger } = options;
  const { ownCluster } = store.current.mesh;
  if ("value" in parsed) {
    store.noteProblem(ownCluster, object, undefined);
    if (parsed.warnings.length > 0)
      logger.warn({ object, warnings: sentences(parsed.warnings) }, "object read in part");
    return parsed.value;
  }
  const message = sentences(parsed.violations);
  logger.warn({ cluster: ownCluster, object, violations: message }, "object refused");
  store.noteProblem(ownCluster, object, message);
  return undefined;
}

function sentences(violations: readonly Violation[]): string {
  return violations.map(({ path, message }) => `${path} ${message}`).join("; ");
}

async function watchKind<Kind extends PolicyKind>(kind: Kind, options: ConfigWatchOptions): Promise<void> {
  const row = POLICIES[kind];
  const { type, exists } = await servedType(row.type, options.client, options.signal);
  const informer = startInformer<IstioObject>({
    client: options.client,
    signal: options.signal,
    logger: options.logger,
    clock: options.clock,
    type,
    project: projectObject,
    onChange: (change) => {
      if (change.type === "DELETED") remove(kind, change.object, options);
      else put(kind, change.object, options);
    },
  });
  // A kind without CRD has no objects: it is followed from now on, and the start does not wait for it.
  if (exists) await informer.synced;
}

async function servedType(
  type: ResourceType,
  client: KubeClient,
  signal: AbortSignal,
): Promise<{ readonly type: ResourceType; readonly exists: boolean }> {
  for (const version of VERSIONS) {
    try {
      await client.list({ ...type, version }, { signal });
      return { type: { ...type, version }, exists: true };
    } catch (thrown) {
      // Anything but "no such kind" is the informer's to retry and to report.
      if (!isNotFound(thrown)) return { type: { ...type, version }, exists: true };
    }
  }
  return { type, exists: false };
}

function put<Kind extends PolicyKind>(kind: Kind, object: IstioObject, options: ConfigWatchOptions): void {
  const spec = accept(options, `${kind} ${objectKey(object)}`, POLICIES[kind].parse(object.spec));
  if (spec === undefined) return;
  const { namespace = "", name = "", creationTimestamp = "" } = object.metadata ?? {};
  const value = { namespace, name, created: Date.parse(creationTimestamp) || 0, spec };
  options.store.applyConfig([policyFact(kind, namespace, name, value)]);
}

function remove(kind: PolicyKind, object: IstioObject, options: ConfigWatchOptions): void {
  const { namespace = "", name = "" } = object.metadata ?? {};
  options.store.noteProblem(options.store.current.mesh.ownCluster, `${kind} ${objectKey(object)}`, undefined);
  options.store.applyConfig([policyFact(kind, namespace, name, undefined)]);
}

/** The compiler cannot see that kind and value belong together when the kind is a type parameter. */
function policyFact(kind: PolicyKind, namespace: string, name: string, value: unknown): PolicyFact {
  return { kind: "policy", policy: kind, namespace, name, value } as PolicyFact;
}
