import type { ProgramName } from "./installation.ts";
import type { Environment } from "./playground-paths.ts";

/** What a command of the playground has of the world. */
export interface CommandContext {
  readonly env: Environment;
  /** The command line of one of our programs. Throws MeshError NOT_BUILT. */
  readonly program: (name: ProgramName) => readonly string[];
  /** A line for scripts: standard output. */
  print(line: string): void;
  /** A line for people: standard error. */
  tell(line: string): void;
}

export interface NameOption {
  readonly name: string;
}
