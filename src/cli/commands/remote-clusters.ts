import { Command } from "commander";
import type { ClusterStatusEntry } from "#api/debug/debug-pages";
import { type CliContext, type ClusterFlags, printLine, withCluster, withClusterFlags } from "../cli-context.ts";
import { askControlPlane } from "../control-plane-debug.ts";
import { parseFormat, printFacts } from "../output/print-facts.ts";

interface Flags extends ClusterFlags {
  readonly output?: string;
}

export function remoteClustersCommand(io: CliContext): Command {
  const command = new Command("remote-clusters")
    .description("show the clusters that this cluster's control plane discovers, and what is wrong with any")
    .option("-o, --output <format>", "table, json or yaml")
    .option("-r, --revision <name>", "accepted for compatibility")
    .addHelpText("after", "\nExample:\n  istioctl remote-clusters --context=cluster1\n");
  withClusterFlags(command).action((flags: Flags) => remoteClusters(flags, io));
  return command;
}

async function remoteClusters(flags: Flags, io: CliContext): Promise<void> {
  const format = parseFormat(flags.output);
  const answers = await withCluster(flags, io, (client, access) =>
    askControlPlane<ClusterStatusEntry[]>(client, access, { namespace: flags.istioNamespace, path: "/debug/clusterz" }),
  );
  const entries = answers.flatMap(({ pod, page }) => page.map((entry) => ({ ...entry, istiod: pod })));
  const rows = entries.map((entry) => [entry.id, entry.secretName, entry.syncStatus, entry.istiod, trustOf(entry)]);
  printFacts({ head: ["NAME", "SECRET", "STATUS", "ISTIOD", "ROOT"], rows, data: entries }, format, io);
  if (format !== "table") return;
  for (const entry of entries) if (entry.message !== undefined) printLine(io.stdout, `\n${entry.id}: ${entry.message}`);
}

function trustOf(entry: ClusterStatusEntry): string {
  if (entry.sharesRoot === undefined) return "unknown";
  return entry.sharesRoot ? "shared" : "DIFFERS";
}
