import type { Quantity, Service } from "#api/kubernetes/gen/types";
import type { Clock } from "#base/clock";
import type { Logger } from "#base/logger";
import type { ImageCatalogue } from "../images/image-catalogue.ts";
import type { NodeApi } from "../node-api.ts";
import type { NodeRoot } from "../node-root.ts";
import type { IpPool } from "./ip-pool.ts";
import type { DnsSettings } from "./pod-files.ts";
import type { ReferencedObjects } from "./referenced-objects.ts";

/** What every pod of a node shares. */
export interface PodContext {
  readonly nodeName: string;
  readonly hostIP: string;
  readonly namePrefix: string;
  readonly dns: DnsSettings;
  readonly allocatable: Readonly<Record<string, Quantity>>;
  readonly api: NodeApi;
  readonly objects: ReferencedObjects;
  /** All services, for the variables of containers. */
  readonly services: () => readonly Service[];
  /** Read anew for each image that was not found, so that adding an entry is enough. */
  readonly catalogue: () => ImageCatalogue;
  readonly ipPool: IpPool;
  readonly root: NodeRoot;
  readonly clock: Clock;
  readonly logger: Logger;
}
