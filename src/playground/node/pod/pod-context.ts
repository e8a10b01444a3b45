import type { Quantity, Service } from "#api/kubernetes/gen/types";
import type { Clock } from "#base/clock";
import type { Logger } from "#base/logger";
import type { ContainerCgroups } from "../cgroup/container-cgroups.ts";
import type { ImageCatalogue } from "../images/image-catalogue.ts";
import type { NodeApi } from "../node-api.ts";
import type { NodeRoot } from "../node-root.ts";
import type { IpPool } from "./ip-pool.ts";
import type { DnsSettings } from "./pod-files.ts";
import type { ReferencedObjects } from "./referenced-objects.ts";

/** What every pod of a node shares. */
export interface PodContext {
  readonly nodeName: string;
  /** Of the node; the first is its main one. */
  readonly hostIPs: readonly string[];
  /** Of the Node object. */
  readonly labels: Readonly<Record<string, string>>;
  readonly namePrefix: string;
  readonly dns: DnsSettings;
  readonly allocatable: Readonly<Record<string, Quantity>>;
  readonly api: NodeApi;
  readonly objects: ReferencedObjects;
  /** All services, for the variables of containers. */
  readonly services: () => readonly Service[];
  /** Read anew for each image that was not found, so that adding an entry is enough. */
  readonly catalogue: () => ImageCatalogue;
  /** A pod gets an address of each. */
  readonly ipPools: readonly IpPool[];
  readonly cgroups: ContainerCgroups;
  readonly root: NodeRoot;
  readonly clock: Clock;
  readonly logger: Logger;
}
