// API server and controllers of one playground cluster, inside the network namespace of its node.
import { writeFileSync } from "node:fs";
import { runAll } from "#base/component";
import { createKubeClient } from "#kube/create-kube-client";
import { loadKubeConfig } from "#kube/kubeconfig";
import { runApiServer } from "#playground/api-server/api-server";
import { createTokenSigner } from "#playground/api-server/auth/service-account-tokens";
import { createControllers } from "#playground/controllers/run-controllers";
import { boundHeapGrowth } from "#playground/lifecycle/bound-heap-growth";
import { runProgram } from "#playground/lifecycle/run-program";
import type { ClusterProcessConfig } from "#playground/process-config";

void runProgram("playground-cluster", async (config: ClusterProcessConfig, root, signal) => {
  const logger = root.child({ cluster: config.clusterName });
  boundHeapGrowth(signal);
  const server = await runApiServer(config, logger, signal);
  // Controllers are clients like any other: they begin when the API server is ready.
  const client = createKubeClient(loadKubeConfig({ path: config.kubeconfig }));
  const { signLegacy } = createTokenSigner(config);
  writeFileSync(config.readyFile, "");
  try {
    await runAll(createControllers({ client, config, signToken: signLegacy, logger }), signal, logger);
  } finally {
    await client.close();
    await server.close();
  }
  return undefined;
});
