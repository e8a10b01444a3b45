import { ANNOTATIONS, LABELS } from "#api/constants/labels";
import type { Container, Pod, PodSpec } from "#api/kubernetes/gen/types";
import { MeshError } from "#base/mesh-error";
import { placeContainers, placeInitContainers } from "./container-order.ts";
import { gatewayTemplate } from "./gateway-template.ts";
import { type InjectionContext, injectionContext, PROXY_CONTAINER } from "./injection-context.ts";
import { decideInjection } from "./injection-decision.ts";
import type { InjectionSettings } from "./injection-settings.ts";
import { diffJson, type JsonPatchOperation } from "./json-diff.ts";
import { mergeContainer } from "./merge-container.ts";
import { rewriteForAgent } from "./rewrite-for-agent.ts";
import { type PodAddition, sidecarTemplate } from "./sidecar-template.ts";

export interface InjectionResult {
  /** Empty when the pod stays as it is. */
  readonly patch: readonly JsonPatchOperation[];
  /** One sentence: why the pod was not injected, or what in its request was ignored. */
  readonly why?: string;
}

const TEMPLATES: Readonly<Record<string, (context: InjectionContext) => PodAddition>> = {
  sidecar: sidecarTemplate,
  gateway: gatewayTemplate,
};

/**
 * The patch that makes a pod a part of the mesh. `pod.metadata.namespace` must be set: a pod in an admission request
 * may lack it, its caller knows it. Pure; patching twice gives what patching once gave.
 * Throws MeshError for a pod whose own annotations cannot be read or that names an unknown template.
 */
export function injectPod(pod: Pod, settings: InjectionSettings): InjectionResult {
  const decision = decideInjection(pod, settings);
  const why = decision.why === undefined ? {} : { why: decision.why };
  if (!decision.inject) return { patch: [], ...why };
  return { patch: diffJson(pod, injectedPod(pod, settings)), ...why };
}

/** The pod as it is after injection, for offline use; decides nothing. */
export function injectedPod(pod: Pod, settings: InjectionSettings): Pod {
  const context = injectionContext(pod, settings);
  const names = templateNames(context);
  const addition = selectTemplate(names)(context);
  const merged = applyAddition(context, addition);
  return names.includes("gateway") ? merged : rewriteForAgent(merged, context);
}

function templateNames(context: InjectionContext): readonly string[] {
  const asked = context.annotations[ANNOTATIONS.templates];
  if (asked === undefined) return context.settings.defaultTemplates;
  return asked.split(",").map((name) => name.trim());
}

function selectTemplate(names: readonly string[]): (context: InjectionContext) => PodAddition {
  const unknown = names.find((name) => !(name in TEMPLATES));
  const template = TEMPLATES[names[0] ?? "sidecar"];
  if (unknown === undefined && template !== undefined && names.length <= 1) return template;
  const message =
    unknown === undefined
      ? `the pod asks for ${names.length} injection templates at once (${names.join(", ")})`
      : `the pod asks for the injection template "${unknown}", which does not exist`;
  throw new MeshError("INJECTION_TEMPLATE", message, {
    hint: `set the annotation ${ANNOTATIONS.templates} to one of: ${Object.keys(TEMPLATES).join(", ")}`,
  });
}

function applyAddition(context: InjectionContext, addition: PodAddition): Pod {
  const { pod, settings } = context;
  const spec: PodSpec = { ...pod.spec, containers: [...(pod.spec?.containers ?? [])] };
  const overridden = overridesOf(spec, addition);
  const own = [...spec.containers, ...(spec.initContainers ?? [])].find(({ name }) => name === PROXY_CONTAINER);
  const proxy = own === undefined ? addition.proxy : mergeContainer(addition.proxy, own);
  placeContainers(spec, proxy, context);
  placeInitContainers(spec, addition.initContainers, context.nativeSidecar ? proxy : undefined);
  const taken = new Set((spec.volumes ?? []).map((volume) => volume.name));
  const volumes = addition.volumes.filter((volume) => !taken.has(volume.name));
  spec.volumes = [...(spec.volumes ?? []), ...volumes];
  if (addition.securityContext !== undefined) {
    spec.securityContext = { ...addition.securityContext, ...spec.securityContext };
  }
  const secrets = settings.imagePullSecrets.filter(
    (name) => !spec.imagePullSecrets?.some((known) => known.name === name),
  );
  if (secrets.length > 0) {
    spec.imagePullSecrets = [...(spec.imagePullSecrets ?? []), ...secrets.map((name) => ({ name }))];
  }
  const status = injectionStatus(settings, addition, { secrets, native: context.nativeSidecar });
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      labels: { ...addition.labels, ...derivedLabels(context), ...context.labels },
      annotations: {
        ...addition.annotations,
        ...settings.injectedAnnotations,
        ...context.annotations,
        "istio.io/rev": settings.revision,
        [ANNOTATIONS.status]: status,
        ...(overridden === undefined ? {} : { [ANNOTATIONS.overrides]: overridden }),
      },
    },
    spec,
  };
}

function derivedLabels(context: InjectionContext): Record<string, string> {
  const { network } = context.settings;
  return {
    [LABELS.canonicalName]: context.canonical.name,
    [LABELS.canonicalRevision]: context.canonical.revision,
    ...(network === "" ? {} : { [LABELS.network]: network }),
  };
}

/** What the user had written himself under the names of our containers, kept for a later injection. */
function overridesOf(spec: PodSpec, addition: PodAddition): string | undefined {
  const ours = new Set([addition.proxy.name, ...addition.initContainers.map((container) => container.name)]);
  const mine = (containers: readonly Container[] = []) => containers.filter((container) => ours.has(container.name));
  const containers = mine(spec.containers);
  const initContainers = mine(spec.initContainers);
  if (containers.length + initContainers.length === 0) return undefined;
  return JSON.stringify({
    ...(containers.length > 0 ? { containers } : {}),
    ...(initContainers.length > 0 ? { initContainers } : {}),
  });
}

function injectionStatus(
  settings: InjectionSettings,
  addition: PodAddition,
  also: { readonly secrets: readonly string[]; readonly native: boolean },
): string {
  const init = addition.initContainers.map((container) => container.name);
  return JSON.stringify({
    initContainers: also.native ? [...init, PROXY_CONTAINER] : init.length > 0 ? init : null,
    containers: also.native ? null : [PROXY_CONTAINER],
    volumes: addition.volumes.map((volume) => volume.name),
    imagePullSecrets: also.secrets.length > 0 ? also.secrets : null,
    revision: settings.revision,
  });
}
