// Component Base: what every cluster of the mesh needs before a control plane: CRDs and the reader's account.
import { readFileSync } from "node:fs";
import { NAMES } from "#api/constants/names";
import type { CustomResourceDefinition } from "#api/kubernetes/gen/types";
import type { KubeObject } from "#api/kubernetes/object";
import { assetPath } from "#base/asset-path";
import type { ResolvedInstall } from "../resolve-install.ts";
import { ownershipLabels, withRevision } from "./object-labels.ts";
import { clusterRole, clusterRoleBinding, READER_RULES } from "./rbac.ts";

/** Istio's CRDs with full structural schemas, read from the generated file on first use. */
export function istioCrds(): CustomResourceDefinition[] {
  const text = readFileSync(assetPath("install/gen/crds.gen.json"), "utf8");
  return (JSON.parse(text) as { crds: CustomResourceDefinition[] }).crds;
}

export function renderBase(install: ResolvedInstall): KubeObject[] {
  const labels = ownershipLabels(install, "Base");
  const crds = istioCrds().map((crd) => ({
    ...crd,
    metadata: {
      ...crd.metadata,
      labels: { ...labels, app: "istio-pilot", chart: "istio", heritage: "Tiller", release: "istio" },
    },
  }));
  return [...crds, ...renderReader(install)];
}

/** The account that other clusters' control planes read this cluster with, also rendered by create-remote-secret. */
export function renderReader(install: ResolvedInstall): KubeObject[] {
  const labels = { ...ownershipLabels(install, "Base"), app: "istio-reader", release: "istio" };
  const role = `${withRevision("istio-reader-clusterrole", install)}-${install.namespace}`;
  const subject = { name: NAMES.readerServiceAccount, namespace: install.namespace };
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { ...subject, labels } },
    clusterRole(role, labels, READER_RULES),
    clusterRoleBinding(role, labels, subject),
  ];
}
