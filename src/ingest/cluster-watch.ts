// One cluster's informers on one side, its shards in the store on the other. Events only mark names as dirty; at the
// end of the tick what is dirty is derived anew from the informers' copies, so the order of events leaves no trace.
import { LABELS } from "#api/constants/labels";
import { Kinds, type ResourceType } from "#api/kinds";
import type { EndpointSlice, Namespace, Node, Pod, Service } from "#api/kubernetes/gen/types";
import type { KubeObject } from "#api/kubernetes/object";
import type { Clock } from "#base/clock";
import type { Logger } from "#base/logger";
import { type Informer, type InformerOptions, startInformer } from "#kube/informer";
import type { KubeClient } from "#kube/kube-client";
import type { ClusterId } from "#model/ids";
import { kubernetesHostname, serviceKey } from "#model/ids";
import { sameFacts } from "#model/same-facts";
import { childSignal } from "./child-signal.ts";
import { endpointsFromSlices, serviceOfSlice } from "./endpoint-slices.ts";
import type { ClusterFact } from "./fact.ts";
import { serviceFromKube } from "./kubernetes-services.ts";
import type { MeshStore } from "./mesh-store.ts";
import { gatewaysFromService } from "./network-gateways.ts";
import { nodeFacts, projectNode } from "./node-facts.ts";
import { podFacts, projectPod } from "./pod-facts.ts";
import { projectObject } from "./project-object.ts";

export interface ClusterWatchOptions {
  readonly client: KubeClient;
  readonly clusterId: ClusterId;
  readonly store: MeshStore;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Called when everything is listed, just before the first facts are written. */
  readonly onSynced?: () => void;
  /** Called when the API server stops or resumes answering; undefined when it answers. */
  readonly onProblem?: (problem: string | undefined) => void;
}

export interface ClusterWatch {
  /** Resolves when the facts of the first lists are in the store; rejects when the signal aborts before. */
  readonly synced: Promise<void>;
  hasSynced(): boolean;
  /** Why the API server does not answer now; undefined when it does. */
  problem(): string | undefined;
  /** How many pods it remembers as parts of services. */
  rememberedPods(): number;
}

/** Watches one cluster's namespaces, services, endpoint slices, pods and nodes, and keeps its shards in the store. */
export function watchCluster(options: ClusterWatchOptions): ClusterWatch {
  const watch = new Watch({ ...options, signal: childSignal(options.signal) });
  const synced = watch.start();
  synced.catch(() => {}); // an abort before the first lists is no failure of anyone
  return {
    synced,
    hasSynced: () => watch.hasSynced,
    problem: () => watch.problem,
    rememberedPods: () => watch.rememberedPods,
  };
}

class Watch {
  readonly #options: ClusterWatchOptions;
  readonly #dirty = new Set<string>();
  readonly #slices = new Map<string, Map<string, EndpointSlice>>();
  /** Grows with slices, shrinks with pods: a service too many costs one look. */
  readonly #servicesOfPod = new Map<string, Set<string>>();
  readonly #problems = new Map<string, string>();
  readonly #services: Informer<Service>;
  readonly #pods: Informer<Pod>;
  readonly #nodes: Informer<Node>;
  readonly #namespaces: Informer<Namespace>;
  readonly #slicesSynced: Promise<void>;
  #problem: string | undefined;
  #cancel: (() => void) | undefined;
  hasSynced = false;

  constructor(options: ClusterWatchOptions) {
    this.#options = options;
    this.#namespaces = this.#inform<Namespace>({
      type: Kinds.Namespace,
      project: projectObject,
      onChange: ({ object, old }) => {
        const isSystem = object.metadata?.name === options.store.current.mesh.systemNamespace;
        if (isSystem && networkLabel(object) !== networkLabel(old)) this.#markAll();
      },
    });
    this.#nodes = this.#inform<Node>({
      type: Kinds.Node,
      project: projectNode,
      onChange: ({ object, old, type }) => {
        // Nodes beat every few seconds: only a change of place concerns us.
        if (old === undefined || type === "DELETED" || !sameFacts(nodeFacts(object), nodeFacts(old))) this.#markAll();
      },
    });
    this.#pods = this.#inform<Pod>({
      type: Kinds.Pod,
      fieldSelector: "status.phase!=Failed",
      project: projectPod,
      onChange: ({ object, old, type }) => {
        if (old === undefined || type === "DELETED" || !sameFacts(podFacts(object), podFacts(old)))
          this.#markPod(object);
      },
    });
    this.#services = this.#inform<Service>({
      type: Kinds.Service,
      project: projectObject,
      onChange: ({ object }) => this.#mark(nameOf(object)),
    });
    this.#slicesSynced = this.#inform<EndpointSlice>({
      type: Kinds.EndpointSlice,
      project: projectObject,
      onChange: ({ object, old, type }) => this.#onSlice(object, old, type === "DELETED"),
    }).synced;
  }

  get problem(): string | undefined {
    return this.#problem;
  }

  async start(): Promise<void> {
    const { store, signal, clusterId, logger } = this.#options;
    const lists = [this.#namespaces, this.#nodes, this.#pods, this.#services];
    await Promise.all([...lists.map((informer) => informer.synced), this.#slicesSynced]);
    signal.throwIfAborted();
    this.#options.onSynced?.();
    this.hasSynced = true;
    this.#dirty.clear();
    store.replaceCluster(
      clusterId,
      this.#names().flatMap((name) => this.#derive(name)),
    );
    logger.info({ cluster: clusterId, services: this.#services.list().length }, "cluster synced");
    const unsubscribe = store.subscribe(({ changes }) => {
      // Trust domain and meshNetworks are part of every endpoint; equal results stop in the store.
      if (changes.some((change) => change.kind === "mesh")) this.#markAll();
    });
    signal.addEventListener("abort", unsubscribe, { once: true });
  }

  #inform<T extends KubeObject>(
    options: Pick<InformerOptions<T>, "onChange" | "project" | "fieldSelector"> & { readonly type: ResourceType },
  ): Informer<T> {
    const { client, signal, logger, clock } = this.#options;
    const kind = options.type.kind;
    const onHealth = (problem: Error | undefined) => this.#onHealth(kind, problem?.message);
    return startInformer<T>({ client, signal, logger, clock, onHealth, ...options });
  }

  #onHealth(kind: string, problem: string | undefined): void {
    if (problem === undefined) this.#problems.delete(kind);
    else this.#problems.set(kind, problem);
    const now = [...this.#problems.values()][0];
    if (now === this.#problem) return;
    this.#problem = now;
    this.#options.onProblem?.(now);
  }

  #onSlice(slice: EndpointSlice, old: EndpointSlice | undefined, gone: boolean): void {
    const name = slice.metadata?.name ?? "";
    for (const version of old === undefined ? [slice] : [old, slice]) {
      const service = serviceOfSlice(version);
      if (service === undefined) continue;
      const key = `${version.metadata?.namespace}/${service}`;
      const slices = this.#slices.get(key) ?? new Map<string, EndpointSlice>();
      if (gone || version !== slice) slices.delete(name);
      else slices.set(name, slice);
      if (slices.size === 0) this.#slices.delete(key);
      else this.#slices.set(key, slices);
      for (const pod of podsOf(version)) {
        const services = this.#servicesOfPod.get(pod) ?? new Set<string>();
        this.#servicesOfPod.set(pod, services.add(key));
        this.#forgetPod(pod);
      }
      this.#mark(key);
    }
  }

  #markPod(pod: Pod): void {
    const key = nameOf(pod);
    for (const service of this.#servicesOfPod.get(key) ?? []) this.#mark(service);
    this.#forgetPod(key);
  }

  /** A pod that is gone and that no slice names: whichever goes last takes the memory of it along. */
  #forgetPod(key: string): void {
    const [namespace = "", name = ""] = key.split("/");
    if (this.#pods.get(namespace, name) !== undefined) return;
    const services = [...(this.#servicesOfPod.get(key) ?? [])];
    const isHeld = services.some((service) => this.#slicesOf(service).some((slice) => podsOf(slice).has(key)));
    if (!isHeld) this.#servicesOfPod.delete(key);
  }

  get rememberedPods(): number {
    return this.#servicesOfPod.size;
  }

  #slicesOf(service: string): readonly EndpointSlice[] {
    return [...(this.#slices.get(service)?.values() ?? [])];
  }

  #markAll(): void {
    for (const name of this.#names()) this.#mark(name);
  }

  #names(): readonly string[] {
    return [...new Set([...this.#services.list().map(nameOf), ...this.#slices.keys()])];
  }

  #mark(name: string): void {
    if (!this.hasSynced) return; // the first flush takes everything
    this.#dirty.add(name);
    this.#cancel ??= this.#options.clock.schedule(0, () => this.#flush());
  }

  #flush(): void {
    this.#cancel = undefined;
    if (this.#options.signal.aborted) return;
    const names = [...this.#dirty];
    this.#dirty.clear();
    this.#options.store.applyCluster(
      this.#options.clusterId,
      names.flatMap((name) => this.#derive(name)),
    );
  }

  /** All facts of one service, from what the informers hold now. */
  #derive(name: string): readonly ClusterFact[] {
    const { clusterId: cluster, store } = this.#options;
    const { config, meshNetworks, domain, systemNamespace } = store.current.mesh;
    const [namespace = "", serviceName = ""] = name.split("/");
    const object = this.#services.get(namespace, serviceName);
    const service = serviceKey(namespace, kubernetesHostname(serviceName, namespace, domain));
    const clusterNetwork = networkLabel(this.#namespaces.get(undefined, systemNamespace));
    const endpoints = endpointsFromSlices(this.#slicesOf(name), {
      cluster,
      clusterNetwork,
      meshNetworks,
      trustDomain: config.trustDomain,
      pod: (podNamespace, podName) => mapped(this.#pods.get(podNamespace, podName), podFacts),
      node: (nodeName) => mapped(this.#nodes.get(undefined, nodeName), nodeFacts),
    });
    const context = { cluster, domain, meshNetworks, trustDomain: config.trustDomain };
    return [
      { kind: "service", service, value: mapped(object, (found) => serviceFromKube(found, context)) },
      { kind: "endpoints", service, value: object === undefined ? [] : endpoints },
      { kind: "gateways", source: name, value: mapped(object, (found) => gatewaysFromService(found, context)) },
    ];
  }
}

function nameOf(object: KubeObject): string {
  return `${object.metadata?.namespace}/${object.metadata?.name}`;
}

/** `namespace/name` of the pods that a slice names. */
function podsOf(slice: EndpointSlice): ReadonlySet<string> {
  const own = slice.metadata?.namespace;
  const refs = (slice.endpoints ?? []).flatMap(({ targetRef }) => (targetRef?.kind === "Pod" ? targetRef : []));
  return new Set(refs.map(({ namespace = own, name }) => `${namespace}/${name}`));
}

function networkLabel(namespace: Namespace | undefined): string {
  return namespace?.metadata?.labels?.[LABELS.network] ?? "";
}

function mapped<T, U>(value: T | undefined, map: (value: T) => U): U | undefined {
  return value === undefined ? undefined : map(value);
}
