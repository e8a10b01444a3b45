import type { ResourceType } from "#api/kinds";
import type { KubeClient } from "#kube/kube-client";

interface GroupList {
  groups?: { preferredVersion?: { groupVersion: string }; versions: { groupVersion: string }[] }[];
}

interface ResourceList {
  groupVersion: string;
  resources?: { name: string; kind: string; namespaced: boolean; verbs?: string[] }[];
}

/** Every namespaced kind that can be listed and deleted, custom ones included, each in its group's preferred version. */
export async function fetchNamespacedTypes(client: KubeClient, signal: AbortSignal): Promise<ResourceType[]> {
  return (await fetchDeletableTypes(client, signal)).filter(({ namespaced }) => namespaced);
}

/** The same with the kinds of the cluster. */
export async function fetchDeletableTypes(client: KubeClient, signal: AbortSignal): Promise<ResourceType[]> {
  const { groups = [] } = await client.request<GroupList>("GET", "/apis", { signal });
  const groupVersions = groups.map((group) => (group.preferredVersion ?? group.versions[0])?.groupVersion);
  const paths = ["/api/v1", ...groupVersions.flatMap((version) => (version === undefined ? [] : [`/apis/${version}`]))];
  const lists = await Promise.all(paths.map((path) => client.request<ResourceList>("GET", path, { signal })));
  return lists.flatMap(typesOf);
}

function typesOf({ groupVersion, resources = [] }: ResourceList): ResourceType[] {
  const slash = groupVersion.indexOf("/");
  const group = slash < 0 ? "" : groupVersion.slice(0, slash);
  const version = groupVersion.slice(slash + 1);
  return resources
    .filter(({ name, verbs = [] }) => {
      return !name.includes("/") && verbs.includes("list") && verbs.includes("delete");
    })
    .map(({ kind, name, namespaced }) => ({ group, version, kind, plural: name, namespaced }));
}
