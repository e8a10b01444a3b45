// Node runtime, service proxy and DNS of one playground cluster, inside the network namespace of its node.
import { runProgram } from "#playground/lifecycle/run-program";
import { runNode } from "#playground/node/run-node";
import type { NodeProcessConfig } from "#playground/process-config";

void runProgram("playground-node", async (config: NodeProcessConfig, logger, signal) => {
  await runNode(config, logger.child({ cluster: config.clusterName, node: config.nodeName }), signal);
  return undefined;
});
