import type { Pod } from "#api/kubernetes/gen/types";

/** `name_namespace(uid)`: how kubelets name a pod in messages. */
export function podFullName({ metadata }: Pod): string {
  return `${metadata?.name ?? ""}_${metadata?.namespace ?? "default"}(${metadata?.uid ?? ""})`;
}
