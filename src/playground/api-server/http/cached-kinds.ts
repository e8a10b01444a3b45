import { type ResourceKind, storageKey } from "../resource-kind.ts";

/** A real server keeps all but events in memory: of those it reads each list and watch from its storage, which says so. */
export const isCached = (kind: ResourceKind): boolean => storageKey(kind) !== "/events";
