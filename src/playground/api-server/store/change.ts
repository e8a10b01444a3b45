import type { JsonObject } from "../contract.ts";
import type { StoredObject } from "./stored-object.ts";

export type ChangeType = "ADDED" | "MODIFIED" | "DELETED";

/** One change, as it happened. */
export interface Change {
  /** `group/plural` of the stored form. */
  readonly key: string;
  readonly revision: number;
  readonly type: ChangeType;
  readonly stored: StoredObject;
  /** What the object was before; undefined for ADDED. */
  readonly before: StoredObject | undefined;
  /** `stored` as a tree. */
  readonly object: JsonObject;
  /** `before` as a tree. */
  readonly previous: JsonObject | undefined;
}

/** What the journal keeps of a change. */
export interface RecordedChange {
  readonly key: string;
  readonly revision: number;
  readonly type: ChangeType;
  /** The object as JSON. */
  readonly bytes: Buffer;
  /** As in StoredObject. */
  readonly hidden?: JsonObject | undefined;
}

/** Parses its trees when somebody asks for them. */
export class StoredChange implements Change {
  readonly key: string;
  readonly type: ChangeType;
  readonly revision: number;
  readonly stored: StoredObject;
  readonly before: StoredObject | undefined;

  constructor(at: Pick<Change, "key" | "type" | "revision">, stored: StoredObject, before: StoredObject | undefined) {
    this.key = at.key;
    this.type = at.type;
    this.revision = at.revision;
    this.stored = stored;
    this.before = before;
  }

  get object(): JsonObject {
    return this.stored.object();
  }

  get previous(): JsonObject | undefined {
    return this.before?.object();
  }
}
