import { LABELS } from "#api/constants/labels";
import type { LabelSelector, Pod } from "#api/kubernetes/gen/types";
import { matchesSelector } from "#api/kubernetes/label-selector";
import type { InjectionSettings } from "./injection-settings.ts";

/** Namespaces whose pods never join the mesh. */
export const UNINJECTED_NAMESPACES = ["kube-system", "kube-public", "kube-node-lease", "local-path-storage"];

const STATUS_ANNOTATION = "sidecar.istio.io/status";

export interface InjectionDecision {
  readonly inject: boolean;
  /** One sentence for people: why not, or what was strange about the request. */
  readonly why?: string;
}

/** Whether this pod joins the mesh. The webhook's selectors have already chosen; this is the last word. */
export function decideInjection(pod: Pod, settings: InjectionSettings): InjectionDecision {
  const { namespace = "", labels = {}, annotations = {} } = pod.metadata ?? {};
  if (annotations[STATUS_ANNOTATION] !== undefined) return no("the pod already carries a proxy");
  if (pod.spec?.hostNetwork === true) return no("the pod uses the host's network, which must not be redirected");
  if (UNINJECTED_NAMESPACES.includes(namespace)) return no(`pods of namespace ${namespace} never join the mesh`);
  const asked = labels[LABELS.inject] ?? annotations[LABELS.inject];
  if (asked === "true") return { inject: true };
  if (asked === "false") return no(`${LABELS.inject} is false on the pod`);
  const decision = decideByPolicy(labels, settings);
  if (!asked) return decision;
  const strange = `${LABELS.inject} is "${asked}" on the pod, which is neither true nor false and was ignored`;
  return { inject: decision.inject, why: decision.why === undefined ? strange : `${strange}; ${decision.why}` };
}

function decideByPolicy(labels: Readonly<Record<string, string>>, settings: InjectionSettings): InjectionDecision {
  if (settings.neverInjectSelector.some((selector) => selects(selector, labels))) {
    return no("the pod's labels match neverInjectSelector");
  }
  if (settings.alwaysInjectSelector.some((selector) => selects(selector, labels))) return { inject: true };
  return settings.policy === "enabled"
    ? { inject: true }
    : no(`the injection policy is disabled and the pod has no label ${LABELS.inject}: "true"`);
}

/** An empty selector, which matches every pod elsewhere, selects none here: a rule without a wish must not stop all. */
function selects(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  const isEmpty = Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions?.length ?? 0) === 0;
  return !isEmpty && matchesSelector(selector, labels);
}

function no(why: string): InjectionDecision {
  return { inject: false, why };
}
