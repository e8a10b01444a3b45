import { join } from "node:path";
import { EXIT_CODES, type ExitCode } from "#base/exit-code";
import type { CommandContext, NameOption } from "./command-context.ts";
import { installationRoot } from "./installation.ts";
import { playgroundPaths } from "./playground-paths.ts";
import type { PlaygroundStatus } from "./playground-status.ts";
import { requireReady } from "./show-status.ts";

/** Prints what a POSIX shell needs to follow Istio's guides. Throws MeshError NOT_RUNNING, and prints nothing then. */
export async function printEnv(options: NameOption, context: CommandContext): Promise<ExitCode> {
  const status = await requireReady(playgroundPaths(options.name, context.env));
  for (const line of exportLines(status, join(installationRoot(), "bin"))) context.print(line);
  return EXIT_CODES.ok;
}

/** Pure: `export` lines, values quoted for any POSIX shell. */
export function exportLines(status: Pick<PlaygroundStatus, "kubeconfig" | "clusters">, bin: string): readonly string[] {
  return [
    `export KUBECONFIG=${quote(status.kubeconfig)}`,
    ...status.clusters.map((cluster) => `export ${contextVariable(cluster.name)}=${quote(cluster.context)}`),
    `export PATH=${quote(bin)}"\${PATH:+:$PATH}"`,
  ];
}

/** `cluster-a` -> `CTX_CLUSTER_A`. */
export function contextVariable(cluster: string): string {
  return `CTX_${cluster.toUpperCase().replace(/[^A-Z0-9]/g, "_")}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
