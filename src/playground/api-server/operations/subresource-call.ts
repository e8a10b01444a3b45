// A request at one of an object's side doors.
import type { EngineParts, Target, WriteContext } from "../api-context.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import type { ResourceKind } from "../resource-kind.ts";

export interface SubresourceCall {
  readonly parts: EngineParts;
  readonly kind: ResourceKind;
  readonly target: Target;
  readonly context: WriteContext;
  readonly verb: string;
  readonly body: JsonValue | undefined;
  /** Media type of a patch. */
  readonly patchType: string;
  /** Of an apply: takes fields from other managers. */
  readonly force: boolean;
}

export interface SubresourceResult {
  readonly object: JsonObject;
  readonly code?: number;
}
