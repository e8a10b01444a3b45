// The control plane of one playground cluster out of the programs of a Kubernetes release, inside the network namespace
// of its node: takes the place of playground-cluster.
import { writeFileSync } from "node:fs";
import { type Component, runAll, untilAborted } from "#base/component";
import { createKubeClient } from "#kube/create-kube-client";
import { loadKubeConfig } from "#kube/kubeconfig";
import { createCloudControllers } from "#playground/controllers/run-cloud-controllers";
import { runControlPlane } from "#playground/kubernetes/run-control-plane";
import { runProgram } from "#playground/lifecycle/run-program";
import type { KubernetesProcessConfig } from "#playground/process-config";

void runProgram("playground-kubernetes", async (config: KubernetesProcessConfig, root, signal) => {
  const logger = root.child({ cluster: config.clusterName });
  const client = createKubeClient(loadKubeConfig({ path: config.kubeconfig }));
  let tellReady = () => {};
  const ready = new Promise<void>((resolve) => {
    tellReady = resolve;
  });
  const onReady = () => {
    writeFileSync(config.readyFile, "");
    tellReady();
  };
  // Its watches would only be refused before.
  const cloud: Component = {
    name: "cloud-controllers",
    async run(stop) {
      await Promise.race([ready, untilAborted(stop)]);
      await runAll(createCloudControllers({ client, config, logger }), stop, logger);
    },
  };
  const controlPlane: Component = {
    name: "control-plane",
    run: (stop) => runControlPlane({ config, client, logger, onReady }, stop),
  };
  try {
    await runAll([controlPlane, cloud], signal, logger);
  } finally {
    await client.close();
  }
  return undefined;
});
