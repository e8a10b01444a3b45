import type { JsonObject } from "../contract.ts";

export type ChangeType = "ADDED" | "MODIFIED" | "DELETED";

/** One change, as it happened. */
export interface Change {
  /** `group/plural` of the stored form. */
  readonly key: string;
  readonly revision: number;
  readonly type: ChangeType;
  readonly object: JsonObject;
  /** What the object was before; undefined for ADDED. */
  readonly previous: JsonObject | undefined;
}

/** What the journal keeps of a change. */
export type StoredChange = Omit<Change, "previous">;
