import { type Clock, systemClock } from "#base/clock";
import { type Component, untilAborted } from "#base/component";
import type { Logger } from "#base/logger";
import type { KubeClient } from "#kube/kube-client";
import type { ClusterProcessConfig } from "../process-config.ts";
import { createLoadBalancerController, loadBalancerRanges } from "./cluster/load-balancer-controller.ts";
import type { ControllerContext } from "./controller.ts";
import { createEventRecorder } from "./objects/event-recorder.ts";
import { createObjectCaches } from "./objects/object-caches.ts";
import { createIndexes } from "./objects/object-index.ts";
import { createFolderProvisioner } from "./volumes/folder-provisioner.ts";
import { createVolumeFolders } from "./volumes/volume-folders.ts";

export interface CloudControllersOptions {
  /** Identity system:masters. */
  readonly client: KubeClient;
  readonly config: Pick<ClusterProcessConfig, "loadBalancerRange" | "ipv6" | "volumesDir">;
  readonly logger: Logger;
  readonly clock?: Clock;
}

/**
 * What a cloud adds to a Kubernetes that brings its own controllers, for `runAll`: addresses of LoadBalancer Services, and
 * volumes where a folder for them is named.
 */
export function createCloudControllers(options: CloudControllersOptions): Component[] {
  const { client, logger, clock = systemClock } = options;
  const shared = { client, clock, logger };
  const caches = createObjectCaches(shared);
  const context: ControllerContext = {
    ...shared,
    caches,
    indexes: createIndexes(caches),
    events: createEventRecorder(shared),
  };
  const { volumesDir } = options.config;
  const provisioners =
    volumesDir === undefined ? [] : [createFolderProvisioner(context, createVolumeFolders(volumesDir))];
  const { services, persistentVolumes, persistentVolumeClaims, storageClasses, nodes } = caches;
  const ofVolumes = volumesDir === undefined ? [] : [persistentVolumes, persistentVolumeClaims, storageClasses, nodes];
  const watch: Component = {
    name: "controllers/caches",
    async run(signal) {
      for (const cache of [services, ...ofVolumes]) cache.start(signal);
      await untilAborted(signal);
    },
  };
  return [createLoadBalancerController(context, loadBalancerRanges(options.config)), ...provisioners, watch];
}
