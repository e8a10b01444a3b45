import { Command } from "commander";
import type { SyncStatusEntry } from "#api/debug/debug-pages";
import { EXIT_CODES } from "#base/exit-code";
import { MeshError } from "#base/mesh-error";
import {
  type CliContext,
  type ClusterFlags,
  ExitNow,
  printLine,
  withCluster,
  withClusterFlags,
} from "../cli-context.ts";
import { askControlPlane } from "../control-plane-debug.ts";
import { type Facts, parseFormat, printFacts } from "../output/print-facts.ts";

interface Flags extends ClusterFlags {
  readonly output?: string;
  readonly verbosity?: string;
}

/** Column, field of the page for what was sent and what was accepted. */
const TYPES = [
  ["CDS", "cluster_sent", "cluster_acked"],
  ["LDS", "listener_sent", "listener_acked"],
  ["EDS", "endpoint_sent", "endpoint_acked"],
  ["RDS", "route_sent", "route_acked"],
] as const;

export function proxyStatusCommand(io: CliContext): Command {
  const command = new Command("proxy-status")
    .alias("ps")
    .description("show every connected proxy and whether it has accepted its latest configuration")
    .argument("[pod]", "only this proxy: NAME[.NAMESPACE]")
    .option("-o, --output <format>", "table, json or yaml")
    .option("-v, --verbosity <level>", "0: what is subscribed; 1: the state of each type", "0")
    .addHelpText("after", "\nExample:\n  istioctl proxy-status --context=cluster1\n");
  withClusterFlags(command).action((pod: string | undefined, flags: Flags) => proxyStatus(pod, flags, io));
  return command;
}

async function proxyStatus(pod: string | undefined, flags: Flags, io: CliContext): Promise<void> {
  const format = parseFormat(flags.output);
  const answers = await withCluster(flags, io, (client, access) =>
    askControlPlane<SyncStatusEntry[]>(client, access, { namespace: flags.istioNamespace, path: "/debug/syncz" }),
  );
  const all = answers.flatMap((answer) => answer.page).sort((a, b) => a.proxy.localeCompare(b.proxy));
  const entries =
    pod === undefined
      ? all
      : all.filter((entry) => entry.proxy === pod || entry.proxy === `${pod}.${flags.namespace ?? "default"}`);
  if (pod !== undefined && entries.length === 0) {
    throw new MeshError("PROXY_UNKNOWN", `no proxy ${pod} is connected`, {
      hint: "istioctl proxy-status shows the connected ones",
    });
  }
  printFacts(flags.verbosity === "0" ? shortFacts(entries) : longFacts(entries), format, io);
  const rejected = entries.filter((entry) => entry.rejected !== undefined);
  for (const entry of rejected) {
    for (const [type, message] of Object.entries(entry.rejected ?? {}))
      printLine(io.stderr, `${entry.proxy} refused ${type}: ${message}`);
  }
  if (rejected.length > 0) throw new ExitNow(EXIT_CODES.failed);
}

function longFacts(entries: readonly SyncStatusEntry[]): Facts {
  const head = ["NAME", "CLUSTER", ...TYPES.map(([type]) => type), "ISTIOD", "VERSION"];
  const rows = entries.map((entry) => [
    entry.proxy,
    entry.cluster_id,
    ...TYPES.map((type) => stateOf(entry, type)),
    entry.istiod,
    entry.istio_version,
  ]);
  return { head, rows, data: entries };
}

function shortFacts(entries: readonly SyncStatusEntry[]): Facts {
  const rows = entries.map((entry) => {
    const subscribed = TYPES.filter(([, sent]) => entry[sent] !== "").map(([type]) => type);
    return [
      entry.proxy,
      entry.cluster_id,
      entry.istiod,
      entry.istio_version,
      `${subscribed.length} (${subscribed.join(",")})`,
      summaryOf(entry),
    ];
  });
  return { head: ["NAME", "CLUSTER", "ISTIOD", "VERSION", "SUBSCRIBED TYPES", "STATUS"], rows, data: entries };
}

/** `SYNCED`, or the types that are not: `STALE: EDS,RDS`. What was never sent is nothing to wait for. */
export function summaryOf(entry: SyncStatusEntry): string {
  const byState = new Map<string, string[]>();
  for (const type of TYPES) {
    const state = stateOf(entry, type);
    if (state !== "SYNCED" && state !== "NOT SENT") byState.set(state, [...(byState.get(state) ?? []), type[0]]);
  }
  if (byState.size > 0) return [...byState].map(([state, types]) => `${state}: ${types.join(",")}`).join("; ");
  return TYPES.some(([, sent]) => entry[sent] !== "") ? "SYNCED" : "NOT SENT";
}

/** Istio's words for the state of one type of one proxy. */
export function stateOf(entry: SyncStatusEntry, [type, sentField, ackedField]: (typeof TYPES)[number]): string {
  if (entry.rejected?.[type] !== undefined) return "ERROR";
  const sent = entry[sentField];
  const acked = entry[ackedField];
  if (sent === "") return "NOT SENT";
  if (sent === acked) return "SYNCED";
  return acked === "" ? "STALE (Never Acknowledged)" : "STALE";
}
