// The API server of a cluster, whole: the engine with its authentication, authorization, admission and pod connections.
import { writeFileSync } from "node:fs";
import type { Logger } from "#base/logger";
import type { ClusterProcessConfig } from "#playground/process-config";
import { createAdmission } from "./admission/create-admission.ts";
import { bornObjects } from "./born-objects.ts";
import { createAuthenticator } from "./auth/create-authenticator.ts";
import { createAuthorizer } from "./auth/create-authorizer.ts";
import { createVirtualResources } from "./auth/create-virtual-resources.ts";
import { openidDocuments } from "./auth/service-account-tokens.ts";
import { createEngine } from "./create-engine.ts";
import { type RunningApiServer, startApiServer } from "./start-api-server.ts";
import { createPodConnector } from "./streaming/create-pod-connector.ts";

/** Resolves when it answers and the first objects exist, and then writes the ready file; ends when the signal aborts. */
export async function runApiServer(
  config: ClusterProcessConfig,
  logger: Logger,
  signal: AbortSignal,
): Promise<RunningApiServer> {
  const engine = createEngine(config, logger);
  const plugIn = { config, objects: engine.objects, logger };
  const authorizer = createAuthorizer(plugIn);
  const authenticator = createAuthenticator({ ...plugIn, authorizer });
  const server = await startApiServer({
    config,
    engine,
    authorizer,
    authenticator,
    admission: createAdmission({ ...plugIn, authorizer, registry: engine.registry }),
    virtualResources: createVirtualResources({ ...plugIn, authorizer, authenticator }),
    pods: createPodConnector(plugIn),
    bootstrap: bornObjects(),
    documents: openidDocuments(config),
    logger,
    signal,
  });
  if (config.readyFile !== "") writeFileSync(config.readyFile, "");
  return server;
}
