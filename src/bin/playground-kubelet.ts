// A real node of one playground cluster (kubelet, containerd, kube-proxy), inside the network namespace of its node.
import { runKubeletNode } from "#playground/kubelet-node/run-kubelet-node";
import { runProgram } from "#playground/lifecycle/run-program";
import type { KubeletProcessConfig } from "#playground/process-config";

void runProgram("playground-kubelet", async (config: KubeletProcessConfig, logger, signal) => {
  await runKubeletNode(config, logger.child({ cluster: config.clusterName, node: config.nodeName }), signal);
  return undefined;
});
