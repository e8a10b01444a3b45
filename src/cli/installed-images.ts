// A gateway that is installed for itself runs the images of the control plane that is there already.

import { NAMES } from "#api/constants/names";
import type { Tree } from "#api/install/istio-operator/istio-operator";
import { Kinds } from "#api/kinds";
import type { ConfigMap } from "#api/kubernetes/gen/types";
import { withRevision } from "#install/manifests/object-labels";
import type { ResolvedInstall } from "#install/resolve-install";
import { isTree } from "#install/tree";
import { isNotFound, type KubeClient } from "#kube/kube-client";

/** What the control plane was told about images; it hands the same to the sidecars. */
const IMAGE_VALUES = ["hub", "tag", "variant", "imagePullPolicy", "imagePullSecrets"];

/**
 * Values of the control plane in the cluster that say where images come from, for an installation that brings no control
 * plane of its own. Empty when there is none.
 */
export async function installedImages(client: KubeClient, install: ResolvedInstall): Promise<Tree> {
  if (install.pilot !== undefined) return {};
  const at = { namespace: install.namespace, name: withRevision(NAMES.injectorConfigMap, install) };
  const found = await client.get<ConfigMap>(Kinds.ConfigMap, at).catch((thrown: unknown) => {
    if (isNotFound(thrown)) return undefined;
    throw thrown;
  });
  const global = globalOf(found?.data?.["values"]);
  const images = IMAGE_VALUES.flatMap((name) => (global[name] === undefined ? [] : [[name, global[name]] as const]));
  return images.length === 0 ? {} : { global: Object.fromEntries(images) };
}

/** Text that somebody has spoilt counts as none: the control plane says so itself. */
function globalOf(values: string | undefined): Tree {
  try {
    const parsed: unknown = JSON.parse(values ?? "{}");
    const global = isTree(parsed) ? parsed["global"] : undefined;
    return isTree(global) ? global : {};
  } catch {
    return {};
  }
}
