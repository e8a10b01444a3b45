import { readFileSync } from "node:fs";
import { type Clock, systemClock } from "#base/clock";
import type { Component } from "#base/component";
import type { Logger } from "#base/logger";
import type { KubeClient } from "#kube/kube-client";
import type { ClusterProcessConfig } from "../process-config.ts";
import { createClusterDnsService } from "./cluster/cluster-dns-service.ts";
import { createClusterRoleController } from "./cluster/cluster-role-controller.ts";
import { createDisruptionController } from "./cluster/disruption-controller.ts";
import { createLoadBalancerController, loadBalancerRanges } from "./cluster/load-balancer-controller.ts";
import { createNamespaceController } from "./cluster/namespace-controller.ts";
import { createNodeLifecycleController } from "./cluster/node-lifecycle-controller.ts";
import { createQuotaController } from "./cluster/quota-controller.ts";
import { createRootCaController } from "./cluster/root-ca-controller.ts";
import { createServiceAccountController } from "./cluster/service-account-controller.ts";
import { createServiceCidrController } from "./cluster/service-cidr-controller.ts";
import { createTaintEvictionController } from "./cluster/taint-eviction-controller.ts";
import { createTokenSecretController, type SignToken } from "./cluster/token-secret-controller.ts";
import type { ControllerContext } from "./controller.ts";
import { createEndpointSliceController } from "./endpoints/endpoint-slice-controller.ts";
import { createMirroringController } from "./endpoints/mirroring-controller.ts";
import { createGarbageCollector } from "./garbage/garbage-collector.ts";
import { createCronJobController } from "./jobs/cron-job-controller.ts";
import { createFinishedJobsController } from "./jobs/finished-jobs-controller.ts";
import { createJobController } from "./jobs/job-controller.ts";
import { createEventRecorder } from "./objects/event-recorder.ts";
import { createObjectCaches, runCaches } from "./objects/object-caches.ts";
import { createIndexes } from "./objects/object-index.ts";
import { createScheduler } from "./scheduling/scheduler.ts";
import { createDaemonSetController } from "./sets/daemon-set-controller.ts";
import { createStatefulSetController } from "./sets/stateful-set-controller.ts";
import { createEphemeralVolumeController } from "./volumes/ephemeral-controller.ts";
import { createFolderProvisioner } from "./volumes/folder-provisioner.ts";
import { createClaimProtection, createVolumeProtection } from "./volumes/protection-controller.ts";
import { createVolumeBinder } from "./volumes/volume-binder.ts";
import { createVolumeFolders } from "./volumes/volume-folders.ts";
import { createDeploymentController } from "./workloads/deployment-controller.ts";
import { createReplicaSetController } from "./workloads/replica-set-controller.ts";

export interface ControllersOptions {
  /** Identity system:masters. */
  readonly client: KubeClient;
  readonly config: Pick<ClusterProcessConfig, "loadBalancerRange" | "serviceCIDR" | "ipv6" | "volumesDir"> & {
    readonly pki: Pick<ClusterProcessConfig["pki"], "caCert">;
  };
  /** The API server's `TokenSigner.signLegacy`. */
  readonly signToken: SignToken;
  readonly logger: Logger;
  readonly clock?: Clock;
  /** A node that does not renew its Lease for so long is lost; default 40 s. */
  readonly nodeGraceMs?: number;
}

/** All controllers of a cluster, for `runAll`. Throws when the CA certificate cannot be read. */
export function createControllers(options: ControllersOptions): Component[] {
  const { client, config, signToken, logger, clock = systemClock } = options;
  const caCertificate = readFileSync(config.pki.caCert, "utf8");
  const shared = { client, clock, logger };
  const caches = createObjectCaches(shared);
  const context: ControllerContext = {
    ...shared,
    caches,
    indexes: createIndexes(caches),
    events: createEventRecorder(shared),
  };
  const controllers = [
    createServiceAccountController(context),
    createRootCaController(context, caCertificate),
    createTokenSecretController(context, { signToken, caCertificate }),
    createClusterRoleController(context),
    createScheduler(context),
    createDeploymentController(context),
    createReplicaSetController(context),
    createStatefulSetController(context),
    createDaemonSetController(context),
    createJobController(context),
    createFinishedJobsController(context),
    createCronJobController(context),
    createEndpointSliceController(context),
    createMirroringController(context),
    createVolumeBinder(context),
    createClaimProtection(context),
    createVolumeProtection(context),
    createEphemeralVolumeController(context),
    ...(config.volumesDir === undefined
      ? []
      : [createFolderProvisioner(context, createVolumeFolders(config.volumesDir))]),
    createDisruptionController(context),
    createQuotaController(context),
    createClusterDnsService(context, config.serviceCIDR),
    createServiceCidrController(context),
    createLoadBalancerController(context, loadBalancerRanges(config)),
    createNamespaceController(context),
    createNodeLifecycleController(context, options.nodeGraceMs),
    createTaintEvictionController(context),
    createGarbageCollector(context),
  ];
  // Last: every controller has its listeners in place before the first object is seen.
  return [...controllers, runCaches(caches)];
}
