import type { NodeProgram } from "./node-program.ts";

/** A containerd that answers, in a mount namespace that lives as long as it does. */
export interface Containerd {
  readonly program: NodeProgram;
  readonly socket: string;
  /** What it and what calls it find programs with. */
  readonly env: Readonly<Record<string, string>>;
  /** The command as it must be run to see containerd's socket and what pods mount. */
  enter(command: readonly string[]): string[];
}
