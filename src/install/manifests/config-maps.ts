// The two ConfigMaps that the control plane reads: mesh configuration and injection settings.
import { stringify } from "yaml";
import { NAMES } from "#api/constants/names";
import { PORTS } from "#api/constants/ports";
import type { Tree } from "#api/install/istio-operator/istio-operator";
import type { ConfigMap } from "#api/kubernetes/gen/types";
import type { ResolvedInstall } from "../resolve-install.ts";
import { isTree, mergeTrees } from "../tree.ts";
import { ownershipLabels, withRevision } from "./object-labels.ts";

/** ConfigMap `istio`: keys `mesh` and `meshNetworks`. */
export function renderMeshConfig(install: ResolvedInstall): ConfigMap {
  const defaults: Tree = {
    accessLogFile: "",
    defaultConfig: { discoveryAddress: discoveryAddress(install), proxyMetadata: {} },
    enablePrometheusMerge: true,
    rootNamespace: install.namespace,
    trustDomain: NAMES.trustDomain,
  };
  const global = isTree(install.values["global"]) ? install.values["global"] : {};
  const networks = isTree(global["meshNetworks"]) ? global["meshNetworks"] : {};
  const mesh = mergeTrees(defaults, install.meshConfig);
  if (mesh["accessLogFile"] === "") delete mesh["accessLogFile"];
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: withRevision(NAMES.meshConfigMap, install),
      namespace: install.namespace,
      labels: { ...ownershipLabels(install, "Pilot"), release: "istio" },
    },
    data: { mesh: stringify(mesh), meshNetworks: stringify({ networks }) },
  };
}

/** ConfigMap `istio-sidecar-injector`: key `config` (policy and selectors), key `values` (JSON). */
export function renderInjectorConfig(install: ResolvedInstall): ConfigMap {
  const webhook = isTree(install.values["sidecarInjectorWebhook"]) ? install.values["sidecarInjectorWebhook"] : {};
  const global = isTree(install.values["global"]) ? install.values["global"] : {};
  const proxy = isTree(global["proxy"]) ? global["proxy"] : {};
  const config = {
    policy: proxy["autoInject"] ?? "enabled",
    defaultTemplates: webhook["defaultTemplates"] ?? [],
    alwaysInjectSelector: webhook["alwaysInjectSelector"] ?? [],
    neverInjectSelector: webhook["neverInjectSelector"] ?? [],
    injectedAnnotations: webhook["injectedAnnotations"] ?? {},
    templates: webhook["templates"] ?? {},
  };
  const values = {
    global,
    sidecarInjectorWebhook: webhook,
    revision: install.values["revision"] ?? "",
    meshConfig: install.meshConfig,
  };
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: withRevision(NAMES.injectorConfigMap, install),
      namespace: install.namespace,
      labels: { ...ownershipLabels(install, "Pilot"), release: "istio" },
    },
    data: { config: stringify(config), values: JSON.stringify(values, undefined, 2) },
  };
}

/** Where proxies find their control plane: `istiod.istio-system.svc:15012`. */
export function discoveryAddress(install: ResolvedInstall): string {
  return `${withRevision("istiod", install)}.${install.namespace}.svc:${PORTS.grpcTls}`;
}
