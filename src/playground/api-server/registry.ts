import { builtinKinds } from "./gen/kinds.ts";
import { builtinKind, type ResourceKind } from "./resource-kind.ts";
import { byPriority } from "./version-order.ts";

/** Every kind that is served now; custom resources come and go. */
export interface Registry {
  find(group: string, version: string, plural: string): ResourceKind | undefined;
  /** By kind name, for bodies that carry apiVersion and kind. */
  findKind(group: string, version: string, kind: string): ResourceKind | undefined;
  /** The kind in the version in which objects of this group and plural are kept. */
  storageKind(group: string, plural: string): ResourceKind | undefined;
  kinds(): readonly ResourceKind[];
  /** Groups in discovery order, each with its versions, the preferred one first. */
  groups(): readonly { readonly group: string; readonly versions: readonly string[] }[];
  /** Replaces all kinds that one CustomResourceDefinition serves; an empty list removes them. */
  setCustom(definition: string, kinds: readonly ResourceKind[]): void;
  /** Changes with every change of what is served. */
  generation(): number;
}

export function createRegistry(): Registry {
  const builtin = builtinKinds.map(builtinKind);
  const custom = new Map<string, readonly ResourceKind[]>();
  let all: readonly ResourceKind[] = builtin;
  let byPlural = index(all, (kind) => kind.plural);
  let byKind = index(all, (kind) => kind.kind);
  let groups: ReturnType<typeof groupsOf> | undefined;
  let generation = 1;
  return {
    find: (group, version, plural) => byPlural.get(`${group}/${version}/${plural}`),
    findKind: (group, version, kind) => byKind.get(`${group}/${version}/${kind}`),
    storageKind: (group, plural) =>
      all.find(
        (kind) => kind.plural === plural && kind.group === group && kind.storedAs.group === group && isStorage(kind),
      ),
    kinds: () => all,
    groups() {
      groups ??= groupsOf(all);
      return groups;
    },
    setCustom(definition, kinds) {
      if (kinds.length === 0) custom.delete(definition);
      else custom.set(definition, kinds);
      all = [...builtin, ...[...custom.values()].flat()];
      byPlural = index(all, (kind) => kind.plural);
      byKind = index(all, (kind) => kind.kind);
      groups = undefined;
      generation++;
    },
    generation: () => generation,
  };
}

const isStorage = (kind: ResourceKind) => kind.storedAs.version === kind.version;

function index(kinds: readonly ResourceKind[], word: (kind: ResourceKind) => string): Map<string, ResourceKind> {
  return new Map(kinds.map((kind) => [`${kind.group}/${kind.version}/${word(kind)}`, kind]));
}

function groupsOf(kinds: readonly ResourceKind[]): { readonly group: string; readonly versions: readonly string[] }[] {
  const groups = new Map<string, Set<string>>();
  for (const kind of kinds) {
    const versions = groups.get(kind.group) ?? new Set();
    versions.add(kind.version);
    groups.set(kind.group, versions);
  }
  return [...groups].map(([group, versions]) => ({
    group,
    versions: [...versions].sort(byPriority),
  }));
}
