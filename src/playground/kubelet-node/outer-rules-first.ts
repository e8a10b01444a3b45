import { until } from "#base/until";
import { runTool } from "../run-tool.ts";

/** Chains of the playground's network, and the kernel's that lead to them. */
const CHAINS = ["INPUT", "FORWARD", "OUTPUT"] as const;
const READY_MS = 150_000;

/**
 * Puts the network's own rules before kube-proxy's again, once these are there. Its chain KUBE-FORWARD accepts what is
 * marked for masquerading, and would let a neighbour on the outer segment in who adds a route to a service range. It sets its
 * jumps once and leaves their order alone afterwards.
 */
export async function putOuterRulesFirst(tool: "iptables" | "ip6tables", signal: AbortSignal): Promise<void> {
  const look = async () => / -j KUBE-FORWARD$/m.test(await runTool(`${tool}-save`, ["-t", "filter"]));
  await until(look, { reason: "kube-proxy has made its rules", timeoutMs: READY_MS, signal });
  const lines = CHAINS.flatMap((chain) => [
    `-D ${chain} -j PLAYGROUND-${chain}`,
    `-I ${chain} 1 -j PLAYGROUND-${chain}`,
  ]);
  await runTool(`${tool}-restore`, ["-w", "--noflush"], { input: `*filter\n${lines.join("\n")}\nCOMMIT\n` });
}
