// The table of commands: Istio's names at the root, and again under `x` where older releases had them.
import { Command } from "commander";
import { ISTHMUS_VERSION, ISTIO_COMPATIBLE_VERSION } from "#api/constants/names";
import type { CliContext } from "./cli-context.ts";
import { createRemoteSecretCommand } from "./commands/create-remote-secret.ts";
import { installCommand } from "./commands/install.ts";
import { manifestCommand } from "./commands/manifest.ts";
import { precheckCommand } from "./commands/precheck.ts";
import { proxyConfigCommand } from "./commands/proxy-config.ts";
import { proxyStatusCommand } from "./commands/proxy-status.ts";
import { remoteClustersCommand } from "./commands/remote-clusters.ts";
import { uninstallCommand } from "./commands/uninstall.ts";
import { versionCommand } from "./commands/version.ts";

const COMMANDS = [
  installCommand,
  uninstallCommand,
  manifestCommand,
  createRemoteSecretCommand,
  remoteClustersCommand,
  proxyStatusCommand,
  proxyConfigCommand,
  versionCommand,
];

/** Commands that live under `istioctl experimental`, or have lived there and are still called so. */
const EXPERIMENTAL = [precheckCommand, createRemoteSecretCommand, remoteClustersCommand, uninstallCommand];

/** The program under one of its names; `more` are commands of other rooms. */
export function buildProgram(name: string, io: CliContext, more: readonly Command[] = []): Command {
  const program = new Command(name)
    .description(
      `Isthmus ${ISTHMUS_VERSION}: an Istio-compatible multi-cluster service mesh (follows Istio ${ISTIO_COMPATIBLE_VERSION})`,
    )
    .version(ISTHMUS_VERSION, "--version", "print the version of this program");
  for (const command of COMMANDS) program.addCommand(command(io));
  const experimental = new Command("experimental")
    .aliases(["x", "exp"])
    .description("checks before an installation, and commands under their former names")
    .addHelpText("after", `\nExample:\n  ${name} x create-remote-secret --context=cluster1 --name=cluster1\n`);
  for (const command of EXPERIMENTAL) experimental.addCommand(command(io));
  program.addCommand(experimental);
  for (const command of more) program.addCommand(command);
  program.addHelpText("after", `\nExample:\n  ${name} install --context=cluster1 -f cluster1.yaml\n`);
  return program;
}
