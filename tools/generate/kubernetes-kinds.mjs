// The table of built-in kinds, from what a real API server's discovery says of them (gen/discovery.json).
import { createHash } from "node:crypto";

/** Definitions beside those of the kinds: bodies of subresources and what the engine itself reads. */
export const EXTRA_DEFINITIONS = [
  "io.k8s.api.autoscaling.v1.Scale",
  "io.k8s.api.authentication.v1.TokenRequest",
  "io.k8s.api.policy.v1.Eviction",
  "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions",
  "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta",
];

/** One row a kind and version, in discovery's order: groups by priority, versions with the preferred one first. */
export function kindRows(discovery, definitions) {
  const names = definitionNames(definitions);
  const places = discovery.groups.flatMap(({ group, versions }) =>
    versions.flatMap(({ version, resources }) => resources.map((resource) => ({ group, version, resource }))),
  );
  const kinds = places.map(({ group, version, resource }) => ({ group, version, kind: resource.responseKind.kind }));
  return places.map(({ group, version, resource }) => {
    const kind = resource.responseKind.kind;
    const definition = names.get(`${group}/${version}/${kind}`);
    if (definition === undefined) throw new Error(`no definition for ${group}/${version} ${kind}`);
    const hash = discovery.hashes[`${group}/${version}/${resource.resource}`];
    return {
      group,
      version,
      kind,
      plural: resource.resource,
      singular: resource.singularResource,
      namespaced: resource.scope === "Namespaced",
      verbs: resource.verbs,
      shortNames: resource.shortNames ?? [],
      categories: resource.categories ?? [],
      subresources: (resource.subresources ?? []).map(subresourceRow),
      stored: resource.verbs.includes("create") && resource.verbs.includes("list"),
      definition,
      ...(hash === undefined ? {} : { storageVersionHash: hash }),
      storedAs: storage(hash, { group, version, kind }, kinds),
    };
  });
}

function subresourceRow({ subresource, responseKind, verbs }) {
  const { group, version, kind } = responseKind;
  return { name: subresource, kind, ...(group === "" && version === "" ? {} : { group, version }), verbs };
}

function definitionNames(definitions) {
  const rows = Object.entries(definitions).flatMap(([name, schema]) =>
    (schema["x-kubernetes-group-version-kind"] ?? []).map((at) => [`${at.group}/${at.version}/${at.kind}`, name]),
  );
  return new Map(rows);
}

/**
 * Discovery tells the group, version and kind in which objects are kept by a hash of them only. One that is not served
 * is nobody's door.
 */
function storage(hash, own, kinds) {
  const found = [own, ...kinds].find(({ group, version, kind }) => hashOf(`${group}/${version}/${kind}`) === hash);
  return { group: (found ?? own).group, version: (found ?? own).version };
}

const hashOf = (text) => createHash("sha256").update(text).digest().subarray(0, 8).toString("base64");
