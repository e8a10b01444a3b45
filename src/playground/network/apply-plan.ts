import { errorMessage, MeshError } from "#base/mesh-error";
import { runTool } from "../run-tool.ts";
import type { NetworkPlan, NetworkStep } from "./plan-network.ts";

/** Carries a plan out, a stage after the other. Throws MeshError NETWORK_FAILED with the tool's own words. */
export async function applyPlan(plan: NetworkPlan): Promise<void> {
  for (const stage of plan) await Promise.all(stage.map(applyStep));
}

async function applyStep(step: NetworkStep): Promise<void> {
  const { namespace } = step;
  if (step.ip !== undefined) {
    const target = namespace === undefined ? [] : ["-n", namespace];
    await run(["ip", ...target, "-batch", "-"], `${step.ip.join("\n")}\n`);
  }
  // One shell for settings and rules: entering a namespace costs more than writing a file in it.
  const lines = (step.sysctl ?? []).map(([name, value]) => `echo ${value} >/proc/sys/${name}`);
  if (step.firewall !== undefined) lines.push(restore("iptables-restore", step.firewall));
  if (step.firewall6 !== undefined) lines.push(restore("ip6tables-restore", step.firewall6));
  if (lines.length === 0) return;
  const enter = namespace === undefined ? [] : ["nsenter", `--net=/run/netns/${namespace}`];
  await run([...enter, "sh", "-e"], `${lines.join("\n")}\n`);
}

function restore(command: string, rules: string): string {
  return `${command} -w --noflush <<'RULES'\n${rules}RULES`;
}

/** Runs a tool with `input`; gives its standard output. Throws MeshError NETWORK_FAILED, the input told with it. */
export async function run(command: readonly string[], input = ""): Promise<string> {
  const [program = "", ...args] = command;
  try {
    return await runTool(program, args, { input });
  } catch (cause) {
    throw new MeshError("NETWORK_FAILED", `${errorMessage(cause)}${input === "" ? "" : `\n${input}`}`, { cause });
  }
}
