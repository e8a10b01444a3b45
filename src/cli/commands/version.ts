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
  const clientVersion = { version: ISTHMUS_VERSION, compatibleWithIstio: ISTIO_COMPATIBLE_VERSION };
  const rows = [["client version", clientVersion.version]];
  const remote = String(flags.remote) === "false" ? undefined : await remoteVersions(flags, io);
  if (remote !== undefined) {
    rows.push([
      "control plane version",
      [...new Set(remote.meshVersion.map((replica) => replica.Info.version))].join(", "),
    ]);
    rows.push(["data plane version", countByVersion(remote.dataPlaneVersion) || "none"]);
  }
  if (format === "table") for (const [name, value] of rows) printLine(io.stdout, `${name}: ${value}`);
  else printFacts({ head: [], rows: [], data: { clientVersion, ...remote } }, format, io);
}

/** In the form of `istioctl version -o json`. A cluster that cannot be asked is no failure of `version`: it says so and goes on. */
async function remoteVersions(flags: Flags, io: CliContext) {
  try {
    return await withCluster(flags, io, async (client, access) => {
      const namespace = flags.istioNamespace;
      const replicas = await askControlPlaneText(client, access, { namespace, path: "/version" });
      const proxies = await askControlPlane<SyncStatusEntry[]>(client, access, { namespace, path: "/debug/syncz" });
      return {
        meshVersion: replicas.map(({ pod, page }) => ({
          Component: "pilot",
          Pod: pod,
          Info: { version: page.trim() },
        })),
        dataPlaneVersion: proxies
          .flatMap((answer) => answer.page)
          .map((entry) => ({ ID: entry.proxy, IstioVersion: entry.istio_version })),
      };
    });
  } catch (thrown) {
    printLine(io.stderr, `no control plane was asked: ${errorMessage(thrown)}`);
    return undefined;
  }
}

/** `1.31.0 (2 proxies), 1.30.0 (1 proxies)`, in Istio's words. */
function countByVersion(proxies: readonly { readonly IstioVersion: string }[]): string {
  const counts = new Map<string, number>();
  for (const { IstioVersion } of proxies) counts.set(IstioVersion, (counts.get(IstioVersion) ?? 0) + 1);
  return [...counts].map(([version, count]) => `${version} (${count} proxies)`).join(", ");
}
