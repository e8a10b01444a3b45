// Names of operations: `listAppsV1NamespacedDeployment`, with the tag `apps_v1`.
import type { ResourceKind } from "../resource-kind.ts";

type Named = Pick<ResourceKind, "group" | "version" | "kind" | "namespaced">;

export interface OperationParts {
  /** `list`, `create`, `deleteCollection`... */
  readonly word: string;
  /** Method of a connection, capital. */
  readonly how?: string;
  /** Subresource, capital. */
  readonly sub?: string;
  readonly suffix?: string;
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** `rbac.authorization.k8s.io` is `rbacAuthorization`. */
function shortGroup(group: string): string {
  const [first = "", ...rest] = group.replace(/\.k8s\.io$/, "").split(".");
  return group === "" ? "core" : first + rest.map(capital).join("");
}

export function operationId({ group, version, kind, namespaced }: Named, parts: OperationParts): string {
  const { word, how = "", sub = "", suffix = "" } = parts;
  const [verb = "", more = ""] = word.split(/(?=[A-Z])/);
  const place = `${capital(shortGroup(group))}${capital(version)}`;
  return `${verb}${place}${more}${how}${namespaced ? "Namespaced" : ""}${kind}${sub}${suffix}`;
}

export function operationTag({ group, version }: { readonly group: string; readonly version?: string }): string {
  return version === undefined ? shortGroup(group) : `${shortGroup(group)}_${version}`;
}

/** Of a document of discovery: `getAppsV1APIResources`. */
export function discoveryId(
  { group, version = "" }: { readonly group: string; readonly version?: string },
  what: string,
) {
  return `get${capital(shortGroup(group))}${capital(version)}${what}`;
}
