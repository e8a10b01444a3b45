// From the user's files and --set flags to one resolved installation: profile below, files above it, flags on top.

import type {
  GatewayComponent,
  IstioOperator,
  IstioOperatorSpec,
  KubernetesSettings,
  Tree,
  TreeValue,
} from "#api/install/istio-operator/istio-operator";
import { MeshError } from "#base/mesh-error";
import { checkImageSource } from "./image-source.ts";
import { DEFAULT_VALUES, isProfile, PROFILES, type ProfileName } from "./profiles.ts";
import { isTree, mergeTrees, parseSetValue, setAtPath, stringAt } from "./tree.ts";

export interface ResolvedGateway {
  readonly kind: "ingress" | "egress";
  readonly name: string;
  readonly namespace: string;
  readonly label: Readonly<Record<string, string>>;
  readonly k8s: KubernetesSettings;
}

/** Everything that rendering needs; no field is optional any more. */
export interface ResolvedInstall {
  readonly profile: string;
  /** metadata.name of the last operator file, `installed-state` when none names itself. */
  readonly operatorName: string;
  readonly namespace: string;
  /** `default` when the installation has no revision of its own. */
  readonly revision: string;
  readonly hub: string;
  readonly tag: string;
  readonly values: Tree;
  readonly meshConfig: Tree;
  readonly base: boolean;
  readonly pilot: KubernetesSettings | undefined;
  readonly gateways: readonly ResolvedGateway[];
}

export interface InstallInputs {
  readonly operators: readonly IstioOperator[];
  /** `path=value`, paths below spec, in order. */
  readonly set?: readonly string[];
  readonly revision?: string;
  /** Values of the control plane that is in the cluster already; they lie between the defaults and the profile. */
  readonly installed?: Tree;
}

/**
 * Merges profile, files and flags: each file lies over the one before it, flags over all, whatever their place on the
 * command line. Throws MeshError for an unknown profile or a flag that is no assignment.
 */
export function resolveInstall(inputs: InstallInputs): ResolvedInstall {
  const files = inputs.operators.map((operator) => toTree(operator.spec ?? {}));
  const flags = (inputs.set ?? []).map(parseSet);
  const profile = profileOf(files, flags);
  let spec = [toTree(PROFILES[profile]), ...files].reduce(mergeSpecs, {
    values: mergeTrees(structuredClone(DEFAULT_VALUES), inputs.installed ?? {}),
  });
  for (const { path, value } of flags) setAtPath(spec, path, value === null ? undefined : value);
  if (inputs.revision !== undefined) spec = { ...spec, revision: inputs.revision };
  return finish(spec as unknown as IstioOperatorSpec, profile, inputs.operators.at(-1)?.metadata?.name);
}

function profileOf(files: readonly Tree[], flags: readonly Assignment[]): ProfileName {
  const named = [
    ...files.map((file) => file["profile"]),
    ...flags.map(({ path, value }) => path === "profile" && value),
  ];
  const profile = String(named.findLast((name) => typeof name === "string" && name !== "") ?? "default");
  if (isProfile(profile)) return profile;
  throw new MeshError("PROFILE_UNKNOWN", `profile "${profile}" does not exist`, {
    hint: `known profiles: ${Object.keys(PROFILES).join(", ")}`,
  });
}

function finish(spec: IstioOperatorSpec, profile: string, operatorName: string | undefined): ResolvedInstall {
  const values = mergeTrees(spec.values ?? {}, spec.unvalidatedValues ?? {});
  const hub = String(spec.hub ?? stringAt(values, "global.hub"));
  const tag = String(spec.tag ?? stringAt(values, "global.tag"));
  checkImageSource({ hub, tag });
  const namespace = spec.namespace ?? stringAt(values, "global.istioNamespace");
  const revision = spec.revision ?? stringAt(values, "revision");
  setAtPath(values, "global.hub", hub);
  setAtPath(values, "global.tag", tag);
  setAtPath(values, "global.istioNamespace", namespace);
  setAtPath(values, "revision", revision);
  const valuesMeshConfig = isTree(values["meshConfig"]) ? values["meshConfig"] : {};
  const components = spec.components ?? {};
  return {
    profile,
    operatorName: operatorName ?? "installed-state",
    namespace,
    revision: revision === "" ? "default" : revision,
    hub,
    tag,
    values,
    meshConfig: mergeTrees(valuesMeshConfig, spec.meshConfig ?? {}),
    base: components.base?.enabled === true,
    pilot: components.pilot?.enabled === true ? (components.pilot.k8s ?? {}) : undefined,
    gateways: [
      ...(components.ingressGateways ?? []).flatMap((gateway) => resolveGateway("ingress", gateway, namespace)),
      ...(components.egressGateways ?? []).flatMap((gateway) => resolveGateway("egress", gateway, namespace)),
    ],
  };
}

function resolveGateway(kind: "ingress" | "egress", gateway: GatewayComponent, namespace: string): ResolvedGateway[] {
  if (gateway.enabled !== true) return [];
  const name = gateway.name ?? `istio-${kind}gateway`;
  const own = { app: name, istio: kind === "ingress" ? "ingressgateway" : "egressgateway" };
  return [
    {
      kind,
      name,
      namespace: gateway.namespace ?? namespace,
      label: { ...own, ...asText(gateway.label ?? {}) },
      k8s: gateway.k8s ?? {},
    },
  ];
}

/** YAML reads a network named 1 as a number; labels are text. */
function asText(labels: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, String(value)]));
}

/** A copy that may be changed: specs come frozen from tables and parsed files. */
function toTree(spec: object): Tree {
  return structuredClone(spec) as Tree;
}

/** Merges two specs; gateways merge by name, since a list index means nothing to the user. */
function mergeSpecs(under: Tree, over: Tree): Tree {
  const merged = mergeTrees(under, over);
  const components = merged["components"];
  if (!isTree(components)) return merged;
  for (const list of ["ingressGateways", "egressGateways"]) {
    const gateways = [under, over].flatMap(({ components: part }) => {
      const found = isTree(part) ? part[list] : undefined;
      return Array.isArray(found) ? found.filter(isTree) : [];
    });
    if (Array.isArray(components[list])) components[list] = mergeByName(gateways, list);
  }
  return merged;
}

function mergeByName(gateways: readonly Tree[], list: string): Tree[] {
  const fallback = `istio-${list === "ingressGateways" ? "ingress" : "egress"}gateway`;
  const merged = new Map<string, Tree>();
  for (const gateway of gateways) {
    const name = String(gateway["name"] ?? fallback);
    merged.set(name, mergeTrees(merged.get(name) ?? {}, gateway));
  }
  return [...merged.values()];
}

interface Assignment {
  readonly path: string;
  readonly value: TreeValue;
}

function parseSet(assignment: string): Assignment {
  const equals = assignment.indexOf("=");
  if (equals <= 0) {
    throw new MeshError("USAGE", `--set ${assignment} is not of the form path=value`, {
      hint: "for example --set values.global.network=network1",
    });
  }
  return {
    path: assignment.slice(0, equals).replace(/^spec\./, ""),
    value: parseSetValue(assignment.slice(equals + 1)),
  };
}
