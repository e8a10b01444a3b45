// One request on a resource, with everything that a verb needs to answer it.
import type { EngineParts, Target, WriteContext } from "../api-context.ts";
import type { ApiRequest, ApiResponse, JsonObject, RequestInfo, UserInfo, VirtualResource } from "../contract.ts";
import { type Conversions, whenConverted } from "../crd/convert-custom.ts";
import { fromStorage } from "../operations/convert-version.ts";
import type { ResourceKind } from "../resource-kind.ts";
import type { StoredObject } from "../store/stored-object.ts";
import type { ListPage } from "./list-page.ts";
import { listPieces, type OutputForm, objectBytes, storedBytes } from "./output-form.ts";
import { send, sendPieces } from "./respond.ts";

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
export async function reply(call: Call, object: JsonObject, code = 200): Promise<void> {
  const { server, kind, form } = call;
  const bytes = await whenConverted(server.parts.convert, () => objectBytes(kind, form, object));
  send(call.response, bytes, { code, warnings: call.context.warnings });
}

/** Answers with one object of the store. */
export async function sendObject(call: Call, stored: StoredObject): Promise<void> {
  const { server, kind, form } = call;
  const bytes = await whenConverted(server.parts.convert, () => storedBytes(kind, form, stored));
  send(call.response, bytes, { warnings: call.context.warnings });
}

/** Answers with a page of a list; each object is converted for itself. */
export async function sendPage(call: Call, { objects, metadata }: ListPage): Promise<void> {
  const { server, kind, form, context } = call;
  const conversions: Conversions = new Map();
  const converted = <T>(run: () => T) => whenConverted(server.parts.convert, run, conversions);
  if (kind.custom?.conversion !== undefined)
    for (const stored of objects) await converted(() => fromStorage(kind, stored.object()));
  const pieces = await converted(() => listPieces(kind, form, objects, metadata));
  await sendPieces(call.response, pieces, { warnings: context.warnings });
}
