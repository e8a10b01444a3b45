// API server and controllers of one playground cluster, inside the network namespace of its node.
import { runAll } from "#base/component";
import type { Logger } from "#base/logger";
import { createKubeClient } from "#kube/create-kube-client";
import { loadKubeConfig } from "#kube/kubeconfig";
import { runApiServer } from "#playground/api-server/api-server";
import { createTokenSigner } from "#playground/api-server/auth/service-account-tokens";
import { createControllers } from "#playground/controllers/run-controllers";
import { runProgram } from "#playground/lifecycle/run-program";
import { waitForFile } from "#playground/lifecycle/wait-for-file";
import type { ClusterProcessConfig } from "#playground/process-config";

await runProgram("playground-cluster", async (config: ClusterProcessConfig, root, signal) => {
  const logger = root.child({ cluster: config.clusterName });
  const components = [
    { name: "api-server", run: (stop: AbortSignal) => runApiServer(config, logger, stop) },
    { name: "controllers", run: (stop: AbortSignal) => runControllers(config, logger, stop) },
  ];
  await runAll(components, signal, logger);
  return undefined;
});

/** Controllers are clients like any other: they begin when the API server is ready. */
async function runControllers(config: ClusterProcessConfig, logger: Logger, signal: AbortSignal): Promise<void> {
  await waitForFile(config.readyFile, signal);
  if (signal.aborted) return;
  const client = createKubeClient(loadKubeConfig({ path: config.kubeconfig }));
  const signToken = createTokenSigner(config).signLegacy;
  try {
    await runAll(createControllers({ client, config, signToken, logger }), signal, logger);
  } finally {
    await client.close();
  }
}
