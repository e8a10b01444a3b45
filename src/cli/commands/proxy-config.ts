// `istioctl proxy-config`: what an Envoy holds, read from its admin interface through the API server or from a file.
import { Command } from "commander";
import { PORTS } from "#api/constants/ports";
import { errorMessage, MeshError } from "#base/mesh-error";
import { openPodTunnel, requestThroughTunnel } from "#kube/port-forward";
import { type CliContext, clusterAccess, printLine, withCluster, withClusterFlags } from "../cli-context.ts";
import { type ConfigDump, parseConfigDump, readConfigDump } from "../envoy-config-dump.ts";
import { findPod } from "../find-pod.ts";
import { type Facts, parseFormat, printFacts } from "../output/print-facts.ts";
import { bootstrapFacts } from "../proxy-config/bootstrap-facts.ts";
import { clusterFacts } from "../proxy-config/cluster-facts.ts";
import { endpointFacts } from "../proxy-config/endpoint-facts.ts";
import { listenerFacts } from "../proxy-config/listener-facts.ts";
import { routeFacts } from "../proxy-config/route-facts.ts";
import { secretFacts } from "../proxy-config/secret-facts.ts";
import type { ProxyConfigFlags } from "./proxy-config-flags.ts";

interface View {
  readonly name: string;
  readonly alias: string;
  readonly about: string;
  /** Path of the admin interface that answers the view. */
  readonly path: string;
  readonly flags: readonly (readonly [flags: string, about: string])[];
  readonly facts: (dump: ConfigDump, flags: ProxyConfigFlags) => Facts;
}

const DUMP = "/config_dump";
const FQDN = ["--fqdn <host>", "only clusters of this host name"] as const;
const PORT = ["--port <number>", "only this port"] as const;
const VERBOSE = ["--verbose [boolean]", "false: one line each"] as const;
const ADDRESS = ["--address <ip>", "only this address"] as const;

/** One row a sub-command. */
const VIEWS: readonly View[] = [
  {
    name: "cluster",
    alias: "c",
    about: "clusters: where the proxy can send requests to",
    path: DUMP,
    flags: [
      FQDN,
      PORT,
      ["--subset <name>", "only this subset"],
      ["--direction <inbound|outbound>", "only this direction"],
    ],
    facts: clusterFacts,
  },
  {
    name: "listener",
    alias: "l",
    about: "listeners: what the proxy accepts",
    path: DUMP,
    flags: [ADDRESS, PORT, ["--type <HTTP|TCP>", "only listeners of this type"], VERBOSE],
    facts: listenerFacts,
  },
  {
    name: "route",
    alias: "r",
    about: "routes: which cluster a request goes to",
    path: DUMP,
    flags: [["--name <route>", "only this route configuration"], VERBOSE],
    facts: routeFacts,
  },
  {
    name: "endpoint",
    alias: "ep",
    about: "endpoints: the addresses behind each cluster, with their health",
    path: "/clusters?format=json",
    flags: [
      ADDRESS,
      PORT,
      ["--cluster <name>", "only this cluster"],
      ["--status <healthy|unhealthy>", "only this health"],
    ],
    facts: endpointFacts,
  },
  {
    name: "secret",
    alias: "s",
    about: "secrets: certificates and roots, without private keys",
    path: DUMP,
    flags: [],
    facts: secretFacts,
  },
  {
    name: "bootstrap",
    alias: "b",
    about: "the bootstrap that the proxy started with",
    path: DUMP,
    flags: [],
    facts: bootstrapFacts,
  },
];

export function proxyConfigCommand(io: CliContext): Command {
  const command = new Command("proxy-config")
    .alias("pc")
    .description("show what a proxy holds: clusters, listeners, routes, endpoints, secrets")
    .addHelpText("after", "\nExample:\n  istioctl proxy-config endpoint deploy/sleep -n sample --context=cluster1\n");
  for (const view of VIEWS) command.addCommand(viewCommand(view, io));
  return command;
}

function viewCommand(view: View, io: CliContext): Command {
  const command = new Command(view.name)
    .aliases([view.alias, `${view.name}s`])
    .description(`show ${view.about}`)
    .argument("[pod]", "NAME[.NAMESPACE], deploy/NAME or svc/NAME")
    .option("-o, --output <format>", "table, json or yaml")
    .option("-f, --file <file>", "read a saved answer of Envoy's admin interface instead of asking a pod")
    .option("--proxy-admin-port <number>", "Envoy's admin port", String(PORTS.envoyAdmin))
    .addHelpText(
      "after",
      `\nExample:\n  istioctl proxy-config ${view.name} deploy/sleep -n sample --context=cluster1\n`,
    );
  for (const [flags, about] of view.flags) command.option(flags, about);
  withClusterFlags(command).action(async (pod: string | undefined, flags: ProxyConfigFlags) => {
    const format = parseFormat(flags.output);
    const dump = flags.file === undefined ? await askProxy(pod, view.path, flags, io) : readConfigDump(flags.file);
    const facts = view.facts(dump, flags);
    printFacts(facts, format, io);
    if (format === "table" && facts.rows.length === 0) printLine(io.stderr, `no ${view.name} matches`);
  });
  return command;
}

async function askProxy(
  pod: string | undefined,
  path: string,
  flags: ProxyConfigFlags,
  io: CliContext,
): Promise<ConfigDump> {
  if (pod === undefined)
    throw new MeshError("USAGE", "name a pod, or a saved answer with --file", {
      hint: "istioctl proxy-config cluster deploy/sleep -n sample",
    });
  const access = clusterAccess(flags, io);
  const found = await withCluster(flags, io, (client) => findPod(client, pod, flags.namespace ?? access.namespace));
  const tunnel = await openPodTunnel(access, found);
  try {
    const answer = await requestThroughTunnel(tunnel, { port: Number(flags.proxyAdminPort), path }).catch(
      (cause: unknown) => {
        throw new MeshError(
          "ENVOY_SILENT",
          `pod ${found.namespace}/${found.name} does not answer on port ${flags.proxyAdminPort}: ${errorMessage(cause)}`,
          { cause, hint: "does the pod have a proxy? kubectl get pod shows whether its container istio-proxy runs" },
        );
      },
    );
    if (answer.status !== 200)
      throw new MeshError(
        "ENVOY_REFUSED",
        `Envoy of pod ${found.namespace}/${found.name} answered HTTP ${answer.status} to ${path}`,
      );
    return parseConfigDump(answer.body, `the answer of pod ${found.namespace}/${found.name}`);
  } finally {
    tunnel.close();
  }
}
