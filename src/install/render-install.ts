// From a resolved installation to the objects to apply, by component and in an order that one pass can apply.
import type { ObjectOverlay, Tree } from "#api/install/istio-operator/istio-operator";
import type { KubeObject } from "#api/kubernetes/object";
import { renderBase } from "./manifests/base.ts";
import { gatewayComponent, renderGateway } from "./manifests/gateway.ts";
import { renderIstiod } from "./manifests/istiod.ts";
import type { ComponentName } from "./manifests/object-labels.ts";
import type { ResolvedInstall } from "./resolve-install.ts";
import { setAtPath } from "./tree.ts";

export interface RenderedComponent {
  readonly component: ComponentName;
  /** What a person calls it: `istiod`, `istio-eastwestgateway`. */
  readonly name: string;
  readonly namespace: string;
  readonly objects: readonly KubeObject[];
}

/** Kinds in the order in which they must exist; kinds not named come before workloads. */
const APPLY_ORDER = [
  "CustomResourceDefinition",
  "Namespace",
  "ServiceAccount",
  "ClusterRole",
  "ClusterRoleBinding",
  "Role",
  "RoleBinding",
  "Secret",
  "ConfigMap",
  "*",
  "MutatingWebhookConfiguration",
  "ValidatingWebhookConfiguration",
  "Service",
  "Deployment",
  "PodDisruptionBudget",
  "HorizontalPodAutoscaler",
];

/** Renders every enabled component. Pure: the caller applies the objects. */
export function renderInstall(install: ResolvedInstall): RenderedComponent[] {
  const { namespace } = install;
  const components: RenderedComponent[] = [];
  if (install.base) components.push({ component: "Base", name: "istio-base", namespace, objects: renderBase(install) });
  if (install.pilot !== undefined) {
    const objects = applyOverlays(renderIstiod(install), install.pilot.overlays ?? []);
    components.push({ component: "Pilot", name: "istiod", namespace, objects });
  }
  for (const gateway of install.gateways) {
    const objects = applyOverlays(renderGateway(install, gateway), gateway.k8s.overlays ?? []);
    components.push({
      component: gatewayComponent(gateway),
      name: gateway.name,
      namespace: gateway.namespace,
      objects,
    });
  }
  return components.map((component) => ({ ...component, objects: inApplyOrder(component.objects) }));
}

/** Sorts by kind, stable within a kind, so that one `kubectl apply` of the whole works. */
export function inApplyOrder(objects: readonly KubeObject[]): KubeObject[] {
  const rank = (object: KubeObject) => {
    const known = APPLY_ORDER.indexOf(object.kind ?? "");
    return known < 0 ? APPLY_ORDER.indexOf("*") : known;
  };
  return [...objects].sort((a, b) => rank(a) - rank(b));
}

function applyOverlays(objects: readonly KubeObject[], overlays: readonly ObjectOverlay[]): KubeObject[] {
  return objects.map((object) => {
    const matching = overlays.filter(
      (overlay) => overlay.kind === object.kind && overlay.name === object.metadata?.name,
    );
    if (matching.length === 0) return object;
    const copy = structuredClone(object);
    for (const patch of matching.flatMap((overlay) => overlay.patches ?? []))
      setAtPath(copy as unknown as Tree, patch.path, patch.value);
    return copy;
  });
}
