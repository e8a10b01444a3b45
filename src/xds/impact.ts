import type { XdsType } from "#envoy/types";
import type { MeshChange } from "#model/mesh-change";
import type { ProxyView } from "./proxy-view.ts";

export type Impact = ReadonlyMap<XdsType, ReadonlySet<string> | "all">;

/** What changes mean for one proxy, seen with the snapshot after them. Unknown means all; nothing means nothing. */
export function impactOf(_changes: readonly MeshChange[], _view: ProxyView): Impact {
  return new Map();
}
