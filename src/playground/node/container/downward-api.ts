import type { Container, ObjectFieldSelector, Pod, Quantity, ResourceFieldSelector } from "#api/kubernetes/gen/types";
import { MeshError } from "#base/mesh-error";
import { parseQuantity } from "./quantity.ts";

/** What a pod may learn about itself beyond its own object. */
export interface DownwardFacts {
  readonly pod: Pod;
  /** The first of `podIPs`. */
  readonly podIP: string;
  readonly podIPs: readonly string[];
  readonly hostIP: string;
  readonly hostIPs: readonly string[];
  readonly nodeName: string;
  /** Stands in for a limit that the container does not set, as on every kubelet. */
  readonly allocatable: Readonly<Record<string, Quantity>>;
}

const FIELDS: Readonly<Record<string, (facts: DownwardFacts) => string | undefined>> = {
  "metadata.name": ({ pod }) => pod.metadata?.name,
  "metadata.namespace": ({ pod }) => pod.metadata?.namespace,
  "metadata.uid": ({ pod }) => pod.metadata?.uid,
  "metadata.labels": ({ pod }) => keyValueLines(pod.metadata?.labels),
  "metadata.annotations": ({ pod }) => keyValueLines(pod.metadata?.annotations),
  "spec.nodeName": ({ nodeName }) => nodeName,
  "spec.serviceAccountName": ({ pod }) => pod.spec?.serviceAccountName ?? "default",
  "status.hostIP": ({ hostIP }) => hostIP,
  "status.hostIPs": ({ hostIPs }) => hostIPs.join(","),
  "status.podIP": ({ podIP }) => podIP,
  "status.podIPs": ({ podIPs }) => podIPs.join(","),
};

/** The value of a fieldRef. Throws MeshError BAD_FIELD_REF for a path that Kubernetes does not offer. */
export function fieldValue(selector: ObjectFieldSelector, facts: DownwardFacts): string {
  const read = FIELDS[selector.fieldPath];
  if (read) return read(facts) ?? "";
  const entry = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(selector.fieldPath);
  if (!entry) {
    throw new MeshError("BAD_FIELD_REF", `fieldPath "${selector.fieldPath}" is not offered to pods`, {
      hint: `use one of ${Object.keys(FIELDS).join(", ")}, or metadata.labels['KEY']`,
    });
  }
  const map = entry[1] === "labels" ? facts.pod.metadata?.labels : facts.pod.metadata?.annotations;
  return map?.[entry[2] ?? ""] ?? "";
}

/** The value of a resourceFieldRef, rounded up to whole divisors. Throws MeshError BAD_FIELD_REF or BAD_QUANTITY. */
export function resourceValue(selector: ResourceFieldSelector, container: Container, facts: DownwardFacts): string {
  const [kind, resource = ""] = selector.resource.split(/\.(.*)/s);
  if (kind !== "limits" && kind !== "requests") {
    throw new MeshError("BAD_FIELD_REF", `resource "${selector.resource}" begins with neither limits nor requests`);
  }
  const limit = container.resources?.limits?.[resource];
  const quantity =
    kind === "limits" ? (limit ?? facts.allocatable[resource]) : (container.resources?.requests?.[resource] ?? limit);
  // A divisor of 0 is how an unset one travels.
  const divisor = parseQuantity(selector.divisor ?? 1) || 1;
  return String(Math.ceil(Number((parseQuantity(quantity ?? 0) / divisor).toFixed(6))));
}

function keyValueLines(map: Readonly<Record<string, string>> = {}): string {
  return Object.keys(map)
    .sort()
    .map((key) => `${key}=${JSON.stringify(map[key])}\n`)
    .join("");
}
