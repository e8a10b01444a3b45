// The control plane as a program: `pilot-discovery discovery [flags]`.
import { existsSync } from "node:fs";
import { ISTHMUS_VERSION } from "#api/constants/names";
import { systemClock } from "#base/clock";
import { EXIT_CODES, type ExitCode } from "#base/exit-code";
import { createLogger } from "#base/logger";
import { MeshError } from "#base/mesh-error";
import { runControlPlane } from "#control-plane/main";
import { type ControlPlaneOptions, parseOptions, renderOptions } from "#control-plane/options";
import { createKubeClient } from "#kube/create-kube-client";
import { inClusterAccess, loadKubeConfig, parseKubeConfig } from "#kube/kubeconfig";

const USAGE = "usage: pilot-discovery discovery [flags] | version | help\n";

async function main(args: readonly string[]): Promise<ExitCode> {
  const [command, ...flags] = args;
  if (command === "version") {
    process.stdout.write(`${ISTHMUS_VERSION}\n`);
    return EXIT_CODES.ok;
  }
  if (command === "help") {
    process.stdout.write(`${USAGE}\nFlags and variables of discovery:\n${renderOptions()}`);
    return EXIT_CODES.ok;
  }
  if (command !== "discovery") {
    process.stderr.write(USAGE);
    return EXIT_CODES.usage;
  }
  return discover(parseOptions(flags, process.env));
}

async function discover(options: ControlPlaneOptions): Promise<ExitCode> {
  const logger = createLogger("pilot-discovery", options.logLevel);
  const stop = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => stop.abort());
  const client = createKubeClient(accessOf(options));
  await runControlPlane(options, {
    client,
    createRemoteClient: (kubeconfig) => createKubeClient(parseKubeConfig(kubeconfig)),
    clock: systemClock,
    logger,
    signal: stop.signal,
  });
  await client.close();
  return EXIT_CODES.ok;
}

function accessOf({ kubeconfig, kubernetesHost, kubernetesPort }: ControlPlaneOptions) {
  if (kubeconfig !== "" && existsSync(kubeconfig)) return loadKubeConfig({ path: kubeconfig });
  return inClusterAccess({ host: kubernetesHost || undefined, port: kubernetesPort });
}

main(process.argv.slice(2)).then(
  // Nothing is left to wait for; idle connections to API servers must not hold the process.
  (code) => process.exit(code),
  (thrown: unknown) => {
    const error = MeshError.from(thrown);
    process.stderr.write(`pilot-discovery: ${error.message}${error.hint === undefined ? "" : `\n  ${error.hint}`}\n`);
    process.exit(error.code === "USAGE" ? EXIT_CODES.usage : EXIT_CODES.failed);
  },
);
