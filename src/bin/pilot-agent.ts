// pilot-agent: the program of the proxy image. `proxy` runs an Envoy, `istio-iptables` sets a pod's rules, `wait` and
// `request` talk to a running one.
import { Command } from "commander";
import { readAgentConfig } from "#agent/options";
import { systemClock } from "#base/clock";
import { EXIT_CODES } from "#base/exit-code";
import { createLogger, LOG_LEVELS, type LogLevel } from "#base/logger";
import { MeshError } from "#base/mesh-error";

interface ProxyFlags {
  readonly domain?: string;
  readonly serviceCluster?: string;
  readonly trustDomain?: string;
  readonly concurrency?: string;
  readonly proxyLogLevel?: string;
  readonly proxyComponentLogLevel?: string;
  readonly log_output_level?: string;
}

/** `default:info` or `info`: our one logger takes the level of `default`. */
function logLevelOf(text: string | undefined): LogLevel {
  const level = text?.split(",")[0]?.replace(/^\w+:/, "");
  return LOG_LEVELS.find((known) => known === level) ?? "info";
}

async function runProxy(role: string, flags: ProxyFlags, command: Command): Promise<number> {
  const logger = createLogger("pilot-agent", logLevelOf(flags.log_output_level));
  const unknown = command.args.filter((argument) => argument.startsWith("-"));
  if (unknown.length > 0) logger.warn({ arguments: unknown }, "arguments are not known and are ignored");
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.abort());
  const config = readAgentConfig({ role, ...flags }, process.env);
  const { runAgent } = await import("#agent/run-agent");
  return runAgent(config, { clock: systemClock, logger, signal: stop.signal });
}

function proxyCommand(finish: (code: number) => void): Command {
  const command = new Command("proxy");
  return command
    .description("Run an Envoy proxy and everything it needs from this machine")
    .argument("[role]", "sidecar or router", "sidecar")
    .option("--domain <suffix>", "DNS domain of the pod, NAMESPACE.svc.cluster.local")
    .option("--serviceCluster <name>", "name that Envoy gives as its cluster")
    .option("--trust-domain <domain>", "trust domain of the workload's identity")
    .option("--concurrency <n>", "worker threads of Envoy; 0 for one a CPU")
    .option("--proxyLogLevel <level>", "log level of Envoy", "warning")
    .option("--proxyComponentLogLevel <levels>", "log levels of Envoy's components", "misc:error")
    .option("--log_output_level <level>", "log level of the agent", "default:info")
    .allowUnknownOption()
    .allowExcessArguments()
    .action(async (role: string, flags: ProxyFlags) => finish(await runProxy(role, flags, command)));
}

async function main(): Promise<void> {
  const finish = (code: number) => {
    process.exitCode = code;
  };
  const program = new Command("pilot-agent").description("The agent beside each Envoy of the mesh");
  program.addCommand(proxyCommand(finish));
  if (process.argv[2] === "istio-iptables") {
    const { iptablesCommand } = await import("#agent/iptables/command");
    program.addCommand(iptablesCommand(process.env, finish));
  }
  if (["wait", "request"].includes(process.argv[2] ?? "")) {
    const { requestCommand, waitCommand } = await import("#agent/client-commands");
    program.addCommand(waitCommand(finish)).addCommand(requestCommand(finish));
  }
  try {
    await program.parseAsync();
  } catch (thrown) {
    const error = MeshError.from(thrown);
    process.stderr.write(`Error: ${error.message}\n${error.hint === undefined ? "" : `${error.hint}\n`}`);
    finish(error.code === "USAGE" ? EXIT_CODES.usage : EXIT_CODES.failed);
  }
}

void main();
