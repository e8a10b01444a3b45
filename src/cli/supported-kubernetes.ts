// Which releases of Kubernetes the mesh can be installed on, asked before anything is applied.
import { MeshError } from "#base/mesh-error";
import type { KubeClient } from "#kube/kube-client";

/**
 * 1.29 is the first release where all that our objects ask for can be counted on: the rules (CEL) of the CRDs, which an
 * older API server may have switched off and then takes any policy, and sidecars as init containers (restartPolicy
 * Always). The rest is older: autoscaling/v2 1.23, tokens bound to pods 1.22, policy/v1 and discovery.k8s.io/v1 1.21.
 */
const OLDEST = { major: 1, minor: 29 };
export const OLDEST_KUBERNETES = `${OLDEST.major}.${OLDEST.minor}`;

/** What `GET /version` answers; providers write `29+` for a minor version. */
interface ServerVersion {
  readonly major?: string;
  readonly minor?: string;
  readonly gitVersion?: string;
}

/** The release that the API server tells, such as `v1.35.4`. Throws KubeError when it cannot be asked. */
export async function fetchKubernetesVersion(client: KubeClient): Promise<ServerVersion> {
  return client.request<ServerVersion>("GET", "/version");
}

/** Whether the mesh can be installed on it; a server that tells no number is taken at its word that it is Kubernetes. */
export function isSupportedKubernetes({ major, minor, gitVersion = "" }: ServerVersion): boolean {
  const [, ofGitMajor, ofGitMinor] = /^v?(\d+)\.(\d+)/.exec(gitVersion) ?? [];
  const [own, ownMinor] = [major || ofGitMajor, minor || ofGitMinor].map((text) => Number.parseInt(text ?? "", 10));
  if (own === undefined || ownMinor === undefined || Number.isNaN(own) || Number.isNaN(ownMinor)) return true;
  return own > OLDEST.major || (own === OLDEST.major && ownMinor >= OLDEST.minor);
}

/** Throws MeshError KUBERNETES_TOO_OLD. */
export async function requireSupportedKubernetes(client: KubeClient, contextName: string): Promise<void> {
  const version = await fetchKubernetesVersion(client);
  if (isSupportedKubernetes(version)) return;
  throw tooOld(version, contextName);
}

function tooOld(version: ServerVersion, contextName: string): MeshError {
  const told = version.gitVersion || `v${version.major}.${version.minor}`;
  const message = `the cluster of context "${contextName}" runs Kubernetes ${told}; Isthmus needs ${OLDEST_KUBERNETES} or newer`;
  return new MeshError("KUBERNETES_TOO_OLD", message, {
    hint: "nothing was changed; upgrade the cluster (older API servers may ignore the rules in Istio's CRDs, and know no sidecars among init containers)",
  });
}
