import type { MeshSnapshot } from "#model/mesh-snapshot";
import type { Proxy } from "#model/proxy";

/** All that configuration for one proxy may read; all selecting is done here. */
export interface ProxyView {
  readonly snapshot: MeshSnapshot;
  readonly proxy: Proxy;
}

export function proxyView(snapshot: MeshSnapshot, proxy: Proxy): ProxyView {
  return { snapshot, proxy };
}
