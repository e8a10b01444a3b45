import type { XdsType } from "#envoy/types";
import type { GeneratedResource } from "./generated-resource.ts";
import type { ProxyView } from "./proxy-view.ts";

/**
 * Resources of one type for one proxy: all of them, or those of the given names. An EDS name that leads to nothing is
 * answered by an empty assignment; for other types a name that does not exist is left out.
 */
export function generate(_view: ProxyView, _type: XdsType, _names?: ReadonlySet<string>): readonly GeneratedResource[] {
  return [];
}
