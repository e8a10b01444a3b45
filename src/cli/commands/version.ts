import { Command } from "commander";
import { ISTHMUS_VERSION, ISTIO_COMPATIBLE_VERSION } from "#api/constants/names";
import type { SyncStatusEntry } from "#api/debug/debug-pages";
import { errorMessage } from "#base/mesh-error";
import { type CliContext, type ClusterFlags, printLine, withCluster, withClusterFlags } from "../cli-context.ts";
import { askControlPlane, askControlPlaneText } from "../control-plane-debug.ts";
import { parseFormat, printFacts } from "../output/print-facts.ts";

interface Flags extends ClusterFlags {
  readonly remote: boolean | string;
  readonly short?: boolean;
  readonly output?: string;
}

export function versionCommand(io: CliContext): Command {
  const command = new Command("version")
    .description("show the versions of this program, the control plane and the proxies")
    .option("--remote [boolean]", "ask the cluster too", true)
    .option("-s, --short", "accepted for compatibility: the output is short")
    .option("-o, --output <format>", "table, json or yaml")
    .addHelpText("after", "\nExample:\n  istioctl version --remote=false\n");
  withClusterFlags(command).action((flags: Flags) => version(flags, io));
  return command;
}

async function version(flags: Flags, io: CliContext): Promise<void> {
  const format = parseFormat(flags.output);
  const client = { version: ISTHMUS_VERSION, compatibleWithIstio: ISTIO_COMPATIBLE_VERSION };
  const rows = [["client version", client.version]];
  const remote = String(flags.remote) === "false" ? undefined : await remoteVersions(flags, io);
  if (remote !== undefined) {
    rows.push([
      "control plane version",
      [...new Set(remote.controlPlane.map((replica) => replica.version))].join(", "),
    ]);
    rows.push([
      "data plane version",
      remote.dataPlane.map((entry) => `${entry.version} (${entry.count} proxies)`).join(", ") || "none",
    ]);
  }
  if (format === "table") for (const [name, value] of rows) printLine(io.stdout, `${name}: ${value}`);
  else printFacts({ head: [], rows: [], data: { client, ...remote } }, format, io);
}

/** A cluster that cannot be asked is no failure of `version`: it says so and goes on. */
async function remoteVersions(flags: Flags, io: CliContext) {
  try {
    return await withCluster(flags, io, async (client, access) => {
      const namespace = flags.istioNamespace;
      const replicas = await askControlPlaneText(client, access, { namespace, path: "/version" });
      const proxies = await askControlPlane<SyncStatusEntry[]>(client, access, { namespace, path: "/debug/syncz" });
      const counts = new Map<string, number>();
      for (const entry of proxies.flatMap((answer) => answer.page))
        counts.set(entry.istio_version, (counts.get(entry.istio_version) ?? 0) + 1);
      return {
        controlPlane: replicas.map(({ pod, page }) => ({ pod, version: page.trim() })),
        dataPlane: [...counts].map(([text, count]) => ({ version: text, count })),
      };
    });
  } catch (thrown) {
    printLine(io.stderr, `no control plane was asked: ${errorMessage(thrown)}`);
    return undefined;
  }
}
