// What all parts of the engine share during one life of the server, and what they share during one request.
import type { AdmissionPlugin, JsonObject, UserInfo } from "./contract.ts";
import type { Converter } from "./crd/convert-custom.ts";
import type { Registry } from "./registry.ts";
import type { ObjectStore } from "./store/object-store.ts";
import type { ServiceAllocator } from "./strategy/service-allocator.ts";

export interface EngineParts {
  readonly store: ObjectStore;
  readonly registry: Registry;
  readonly admission: readonly AdmissionPlugin[];
  readonly allocator: ServiceAllocator;
  /** Asks the conversion webhooks of custom resources. */
  readonly convert: Converter;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** One write request. */
export interface WriteContext {
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** `fieldManager` of the query, else the first word of the user agent. */
  readonly fieldManager: string;
  readonly fieldValidation: "Strict" | "Warn" | "Ignore";
  /** Become Warning headers. */
  readonly warnings: string[];
  /** What is told of an object that a patch made. */
  readonly patch?: PatchTelling;
  /** The options of the request as the client sent them; absent when the server itself writes. */
  readonly options?: JsonObject;
}

/** How Kubernetes tells what is wrong with an object that a patch made. */
export interface PatchTelling {
  /** What a strict reader found wrong with the patch itself. */
  readonly faults: readonly string[];
  /** The object never was JSON: its faults have other words. */
  readonly unstructured: boolean;
  /** Begins the message of a 500 where the object is taken for the server's own. */
  readonly internal?: string;
}

export interface Target {
  /** "" for cluster-scoped kinds. */
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
}

/** RFC 3339 in whole seconds, as Kubernetes writes times. */
export function timestamp(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}

export type Transform = (current: JsonObject) => JsonObject | Promise<JsonObject>;
