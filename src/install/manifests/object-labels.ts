// Ownership: every object that an installation renders says which component, installation and revision it belongs to.
import { LABELS } from "#api/constants/labels";
import { ISTHMUS_VERSION } from "#api/constants/names";
import type { ResolvedInstall } from "../resolve-install.ts";

/** Istio's component names, the values of label operator.istio.io/component. */
export type ComponentName = "Base" | "Pilot" | "IngressGateways" | "EgressGateways";

export function ownershipLabels(install: ResolvedInstall, component: ComponentName): Record<string, string> {
  return {
    [LABELS.owningResource]: install.operatorName,
    [LABELS.owningResourceNamespace]: install.namespace,
    [LABELS.component]: component,
    [LABELS.managed]: "Reconcile",
    [LABELS.version]: ISTHMUS_VERSION,
    [LABELS.revision]: install.revision,
  };
}

/** `istiod` for the default revision, `istiod-canary` for another. */
export function withRevision(name: string, install: ResolvedInstall): string {
  return install.revision === "default" ? name : `${name}-${install.revision}`;
}
