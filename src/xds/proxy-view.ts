import type { MeshSnapshot } from "#model/mesh-snapshot";
import type { MeshProxy } from "#model/proxy";

/** All that configuration for one proxy may read; all selecting is done here. */
export interface ProxyView {
  readonly snapshot: MeshSnapshot;
  readonly proxy: MeshProxy;
}

export function proxyView(snapshot: MeshSnapshot, proxy: MeshProxy): ProxyView {
  return { snapshot, proxy };
}
