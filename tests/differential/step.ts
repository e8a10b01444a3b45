// What a sequence is made of. Steps are data, so that a sequence can be printed, shortened and sent again. Text in
// `{{N:path.to.field}}` stands for a field of the answer to step N of the same server: a resource version, a uid, a
// continue token, a token. A sequence names its namespace and all its own things by `{{ns}}` and `{{seq}}`.

export type Json = string | number | boolean | null | Json[] | { [field: string]: Json };
export type JsonMap = { [field: string]: Json };

/** `raw` goes out as it stands; `copyOf` is the object that step N answered, changed by a JSON merge patch. */
export type Body =
  | { readonly json: Json }
  | { readonly raw: string }
  | { readonly copyOf: number; readonly edit: JsonMap };

export interface Step {
  /** Number within its sequence: what placeholders name. Kept when a sequence is shortened. */
  readonly id: number;
  readonly method: string;
  /** Path with query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Body;
  /** Client certificate, default admin; `anonymous` shows none. */
  readonly user?: string;
  /** For the tables: what the request is, such as `create` and `ConfigMap`. */
  readonly verb: string;
  readonly kind: string;
  /**
   * Sent again until the answer is so, 20 s at most when nothing else is said; the last answer is compared. For what a
   * real server does a moment later: a definition becomes established, a role binding or a webhook begins to count.
   */
  readonly until?: Until;
  /** A document of all kinds: paths and definitions of other sequences' groups are not looked at. */
  readonly ownOnly?: boolean;
  /** A watch: events are read until one shows an object of this name, or the server ends the stream. */
  readonly watch?: WatchPlan;
}

export interface Until {
  readonly status?: number;
  /** Of the answer: body and warnings as text. */
  readonly contains?: string;
  readonly lacks?: string;
  /** The longest wait. */
  readonly seconds?: number;
  /** Number of the step without whose success there is nothing to wait for. */
  readonly after?: number;
}

export interface WatchPlan {
  /** Name of the last object to wait for. */
  readonly endsAt: string;
  /** `open` starts to listen here and is read by a later `collect` step with the same key; without: both at once. */
  readonly open?: string;
  readonly collect?: string;
}

export interface Sequence {
  readonly area: string;
  /** Seed and number that make it again. */
  readonly seed: number;
  readonly index: number;
  readonly steps: readonly Step[];
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly text: string;
  /** Of a watch: one parsed event each; the text is empty then. */
  readonly events?: readonly Json[];
  /** No HTTP answer: why. */
  readonly failure?: string;
}
