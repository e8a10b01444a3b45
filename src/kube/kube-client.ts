import type { ResourceType } from "#api/kinds";
import type { KubeList, KubeObject } from "#api/kubernetes/object";
import { MeshError } from "#base/mesh-error";

/** The Kubernetes API refused or failed a request. `status` is the HTTP code (0: no answer), `reason` Kubernetes' own word. */
export class KubeError extends MeshError {
  readonly status: number;
  readonly reason: string;
  /** The reasons of the causes in the Status that the API server answered with. */
  readonly causes: readonly string[];
  constructor(status: number, reason: string, message: string, options: KubeErrorOptions = {}) {
    super(`KUBE_${reason.toUpperCase() || status}`, message, options);
    this.name = "KubeError";
    this.status = status;
    this.reason = reason;
    this.causes = options.causes ?? [];
  }
}

export interface KubeErrorOptions {
  readonly hint?: string;
  readonly cause?: unknown;
  readonly causes?: readonly string[];
}

/** True when the API server said that the object does not exist. */
export function isNotFound(thrown: unknown): boolean {
  return thrown instanceof KubeError && thrown.status === 404;
}

/** True when the API server creates nothing in a namespace because that is going away. */
export function isNamespaceTerminating(thrown: unknown): boolean {
  return thrown instanceof KubeError && thrown.status === 403 && thrown.causes.includes("NamespaceTerminating");
}

export interface ObjectAddress {
  readonly namespace?: string;
  readonly name: string;
  readonly subresource?: string;
}

export interface ListOptions {
  /** All namespaces when absent. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly resourceVersion?: string;
  readonly signal?: AbortSignal;
}

export interface WriteOptions {
  readonly fieldManager?: string;
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

export type PatchType = "merge" | "strategic" | "json" | "apply";

export interface PatchOptions extends WriteOptions {
  readonly type: PatchType;
  /** Server-side apply only: take fields over from other managers. */
  readonly force?: boolean;
}

export interface DeleteOptions {
  readonly propagationPolicy?: "Foreground" | "Background" | "Orphan";
  readonly gracePeriodSeconds?: number;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly signal?: AbortSignal;
}

export type WatchEvent<T> =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: T }
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string };

/**
 * One API server seen with one identity. Every method throws KubeError when the server refuses or cannot be reached;
 * `watch` begins with a BOOKMARK once the server has accepted it, throws KubeError 410 when its resourceVersion is too old
 * and ends quietly when the server closes it.
 */
export interface KubeClient {
  /** The server's URL, as in the kubeconfig. */
  readonly server: string;
  get<T extends KubeObject>(type: ResourceType, at: ObjectAddress, signal?: AbortSignal): Promise<T>;
  list<T extends KubeObject>(type: ResourceType, options?: ListOptions): Promise<KubeList<T>>;
  create<T extends KubeObject>(type: ResourceType, object: T, options?: WriteOptions): Promise<T>;
  /** POST to a subresource such as `token` or `binding`. */
  createSubresource<T>(type: ResourceType, at: ObjectAddress, body: unknown, options?: WriteOptions): Promise<T>;
  replace<T extends KubeObject>(
    type: ResourceType,
    object: T,
    options?: WriteOptions & { subresource?: string },
  ): Promise<T>;
  patch<T extends KubeObject>(type: ResourceType, at: ObjectAddress, body: unknown, options: PatchOptions): Promise<T>;
  delete(type: ResourceType, at: ObjectAddress, options?: DeleteOptions): Promise<void>;
  watch<T extends KubeObject>(type: ResourceType, options: ListOptions): AsyncIterable<WatchEvent<T>>;
  /** Finds the row of any kind, custom resources included, by discovery (cached). Throws KubeError 404 when unknown. */
  resourceType(apiVersion: string, kind: string): Promise<ResourceType>;
  /** A plain request for what the methods above do not cover, JSON in and out (text when the answer is not JSON). */
  request<T>(
    method: string,
    path: string,
    options?: { query?: Record<string, string>; body?: unknown; signal?: AbortSignal },
  ): Promise<T>;
  /** Closes connections; watches end. */
  close(): Promise<void>;
}
