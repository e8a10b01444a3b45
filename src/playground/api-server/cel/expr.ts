import type { parse } from "@bufbuild/cel";

/** A node of an expression as the parser gives it. */
export type Expr = NonNullable<ReturnType<typeof parse>["expr"]>;
