// What the engine (registry, store, HTTP) and its plug-ins (authentication, authorization, admission, streaming) agree on.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { Duplex } from "node:stream";

/** An object as the engine holds it: plain JSON. */
export type JsonObject = { [key: string]: JsonValue };
export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;

export type ApiRequest = IncomingMessage | Http2ServerRequest;
export type ApiResponse = ServerResponse | Http2ServerResponse;

/** Who asks; `system:anonymous` in group `system:unauthenticated` when no credential came. */
export interface UserInfo {
  readonly username: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** A parsed request in RBAC's words. */
export interface RequestInfo {
  readonly isResource: boolean;
  readonly path: string;
  /** get, list, watch, create, update, patch, delete, deletecollection; for other paths the lower-case HTTP method. */
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  /** Plural name. */
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** Of the query of a list, a watch or the deletion of a collection, as it stands. */
  readonly fieldSelector?: string;
}

/** Resolves the caller. Throws ApiStatusError 401 for a credential that is present but bad. */
export interface Authenticator {
  authenticate(request: ApiRequest): Promise<UserInfo>;
}

export interface Authorization {
  readonly allowed: boolean;
  /** Why it is allowed, or the sentence of a refusal. */
  readonly reason: string;
  /** What an authorizer had to say of a refusal; part of the reason too. */
  readonly opinion?: string;
}

export interface Authorizer {
  authorize(user: UserInfo, info: RequestInfo): Authorization;
}

export interface AdmissionAttributes {
  readonly operation: "CREATE" | "UPDATE" | "DELETE" | "CONNECT";
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Group and version of the kind where they are not the resource's: of a scale. */
  readonly kindOf?: { readonly group: string; readonly version: string };
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  readonly object: JsonObject | undefined;
  readonly oldObject: JsonObject | undefined;
  /** What the client asked for beside the object: CreateOptions, UpdateOptions or DeleteOptions, without their kind. */
  readonly options?: JsonObject;
  /** Tells the client something beside the answer. */
  readonly warn?: (text: string) => void;
}

/** A mutating or validating step. Returns the object to go on with; throws ApiStatusError to refuse. */
export interface AdmissionPlugin {
  readonly name: string;
  /** Runs on the finished, validated object, and must not change it. Deletions are judged like all others. */
  readonly judges?: boolean;
  admit(attributes: AdmissionAttributes): Promise<JsonObject | undefined>;
}

/** Names one stored object; `namespace` is "" for objects of the cluster. */
export interface ObjectPath {
  readonly group: string;
  /** Plural name. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
}

/** Read and write access that plug-ins have to the engine's objects, without authorization. */
export interface ObjectAccess {
  get(group: string, resource: string, namespace: string, name: string): JsonObject | undefined;
  list(group: string, resource: string, namespace?: string): JsonObject[];
  /** Stores what `change` makes of its own copy of the object (pods/binding). Throws ApiStatusError 404. */
  update(at: ObjectPath, change: (object: JsonObject) => JsonObject): JsonObject;
  /** Deletes as a DELETE request with these DeleteOptions would: grace period, finalizers, preconditions (pods/eviction). */
  delete(at: ObjectPath, options: JsonObject): Promise<JsonObject>;
  /** Called after every change of any object, in order. Returns the unsubscriber. */
  subscribe(
    listener: (change: {
      group: string;
      resource: string;
      type: "ADDED" | "MODIFIED" | "DELETED";
      object: JsonObject;
    }) => void,
  ): () => void;
}

export interface VirtualRequest {
  readonly user: UserInfo;
  readonly namespace: string;
  readonly name: string;
  readonly body: JsonObject;
  /** By the query: nothing may be written. */
  readonly dryRun?: boolean;
}

/** A create-only or connect resource that is computed instead of stored, such as tokenreviews or serviceaccounts/token. */
export interface VirtualResource {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly namespaced: boolean;
  create(request: VirtualRequest): Promise<JsonObject>;
  /** Whether the answer tells in managedFields what its maker set; the last writer's name is then in `metadata`. */
  readonly tracked?: boolean;
}

/** Serves pod connections (exec, attach, port-forward by upgrade; log and proxied plain requests). */
export interface PodConnector {
  /** Plain HTTP: `GET .../log`. */
  serve(request: ApiRequest, response: ApiResponse, info: RequestInfo): Promise<void>;
  /** `Upgrade:` requests: SPDY/3.1 and WebSocket. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, info: RequestInfo): Promise<void>;
}

/** An HTTP error that becomes a Kubernetes Status object. */
export class ApiStatusError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: JsonObject | undefined;
  constructor(code: number, reason: string, message: string, details?: JsonObject) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.details = details;
  }

  status(): JsonObject {
    return {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: this.message,
      ...(this.reason === "" ? {} : { reason: this.reason }),
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.code,
    };
  }
}
