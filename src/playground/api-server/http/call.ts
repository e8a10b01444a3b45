// One request on a resource, with everything that a verb needs to answer it.
import type { EngineParts, Target, WriteContext } from "../api-context.ts";
import type { ApiRequest, ApiResponse, JsonObject, RequestInfo, UserInfo, VirtualResource } from "../contract.ts";
import type { ResourceKind } from "../resource-kind.ts";
import type { StoredObject } from "../store/stored-object.ts";
import { type OutputForm, objectBytes, storedBytes } from "./output-form.ts";
import { send } from "./respond.ts";

export interface ResourceRequest {
  readonly request: ApiRequest;
  readonly response: ApiResponse;
  readonly info: RequestInfo;
  readonly query: URLSearchParams;
  readonly user: UserInfo;
}

export interface ResourceServer {
  readonly parts: EngineParts;
  readonly virtual: readonly VirtualResource[];
  readonly signal: AbortSignal;
}

/** Everything that a verb needs. */
export interface Call extends ResourceRequest {
  readonly server: ResourceServer;
  readonly kind: ResourceKind;
  readonly target: Target;
  readonly form: OutputForm;
  readonly context: WriteContext;
}

/** Answers with one object, as the client wants to see it. */
export function reply(call: Call, object: JsonObject, code = 200): void {
  send(call.response, objectBytes(call.kind, call.form, object), { code, warnings: call.context.warnings });
}

/** Answers with one object of the store. */
export function sendObject(call: Call, stored: StoredObject): void {
  send(call.response, storedBytes(call.kind, call.form, stored), { warnings: call.context.warnings });
}
