import type { parse } from "@bufbuild/cel";

/** A node of an expression as the parser gives it. */
export type Expr = NonNullable<ReturnType<typeof parse>["expr"]>;

/** An expression that was read. */
export interface Parsed {
  readonly text: string;
  readonly expr: Expr;
  /** Offset in the text of each node, by its id. */
  readonly positions: Readonly<Record<string, number>>;
}
