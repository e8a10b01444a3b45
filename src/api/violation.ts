/** One thing that is wrong with an object. Validation returns these and never throws. */
export interface Violation {
  /** Where in the object: `spec.servers[0].tls.mode`. */
  readonly path: string;
  /** What is wrong and what is allowed, one sentence. */
  readonly message: string;
  /** An error refuses the object; a warning only tells. */
  readonly severity: "error" | "warning";
}

/** A parsed object, or why it is refused. */
export type Parsed<T> =
  | { readonly value: T; readonly warnings: readonly Violation[] }
  | { readonly violations: readonly Violation[] };
