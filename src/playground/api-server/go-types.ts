// Names of the types in which a real API server holds objects: some of its sentences show them.
import type { ResourceKind } from "./resource-kind.ts";

const OTHERS: Readonly<Record<string, string>> = {
  "": "core",
  "events.k8s.io": "core",
  "internal.apiserver.k8s.io": "apiserverinternal",
};

/** `core.ConfigMap`; custom resources have one type for all. */
export function internalType(kind: ResourceKind, name = kind.kind): string {
  if (kind.custom !== undefined)
    return name === kind.kind ? "unstructured.Unstructured" : "unstructured.UnstructuredList";
  return `${OTHERS[kind.group] ?? kind.group.split(".")[0]}.${name}`;
}
