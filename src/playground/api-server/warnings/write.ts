import type { JsonObject } from "../contract.ts";

export interface Write {
  readonly object: JsonObject;
  /** The object before; undefined for a new one. */
  readonly old: JsonObject | undefined;
  /** "" for the object itself. */
  readonly subresource: string;
  /** Whether an update changes more than metadata and status. */
  readonly specChanged: boolean;
}

/** What a client is told of a write. */
export type Warn = (object: JsonObject, write: Write) => readonly string[];
