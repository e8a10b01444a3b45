import type { ParseArgsConfig, parseArgs } from "node:util";

type Options = NonNullable<ParseArgsConfig["options"]>;
type Read<T extends Options> = ReturnType<typeof parseArgs<{ options: T; allowPositionals: boolean }>>;

interface ToolFlags<T extends Options, R> {
  /** Stands before a mistake: `bench:api`. */
  readonly name: string;
  /** Ends with a line break. */
  readonly help: string;
  readonly args?: string[];
  readonly options: T;
  readonly positionals?: boolean;
  readonly convert: (read: Read<T>) => R;
}

export function readFlags<const T extends Options, R>(tool: ToolFlags<T, R>): R;
export function numberOf(flag: string, text: string, least?: number): number;
export function oneOf<T extends string>(flag: string, text: string, known: readonly T[]): T;
