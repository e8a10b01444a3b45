import type { Column } from "./column.ts";

/** By `group/plural`. */
export const BUILTIN_COLUMNS: Readonly<Record<string, readonly Column[]>> = {};
