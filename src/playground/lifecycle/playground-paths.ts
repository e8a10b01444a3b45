import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { MeshError } from "#base/mesh-error";

/** Where everything of one playground lies; all paths are absolute. */
export interface PlaygroundPaths {
  readonly name: string;
  readonly stateDir: string;
  readonly configFile: string;
  readonly statusFile: string;
  /** One file for people: a context a cluster, as administrator. */
  readonly kubeconfig: string;
  readonly logsDir: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const NAME = /^[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?$/;

/** Throws MeshError USAGE_NAME for a name that is no DNS label of at most 32 characters. */
export function playgroundPaths(name: string, env: Environment): PlaygroundPaths {
  if (!NAME.test(name)) {
    throw new MeshError("USAGE_NAME", `${JSON.stringify(name)} is no name for a playground`, {
      hint: "use lower-case letters, digits and dashes, at most 32, such as --name demo",
    });
  }
  // The base directory specification asks to ignore relative paths.
  const base = env["XDG_STATE_HOME"]?.startsWith("/")
    ? env["XDG_STATE_HOME"]
    : join(env["HOME"] || homedir(), ".local", "state");
  return pathsBelow(name, resolve(base, "isthmus", name));
}

export function pathsBelow(name: string, stateDir: string): PlaygroundPaths {
  return {
    name,
    stateDir,
    configFile: join(stateDir, "config.json"),
    statusFile: join(stateDir, "status.json"),
    kubeconfig: join(stateDir, "kubeconfig"),
    logsDir: join(stateDir, "logs"),
  };
}

/** Short, stable and safe in any name: stands for a state directory. */
export function playgroundId(paths: { readonly stateDir: string }): string {
  return createHash("sha256").update(paths.stateDir).digest("hex").slice(0, 16);
}
