// Who may do what: one table of rules for each identity, as narrow as its program needs.
import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding } from "#api/kubernetes/gen/types";

const READ = ["get", "list", "watch"];
const ISTIO_GROUPS = [
  "config.istio.io",
  "security.istio.io",
  "networking.istio.io",
  "telemetry.istio.io",
  "extensions.istio.io",
];

const rule = (apiGroups: string[], resources: string[], verbs: string[]): PolicyRule => ({
  apiGroups,
  resources,
  verbs,
});

/** What a remote control plane needs to discover this cluster and to review its tokens. */
export const READER_RULES: readonly PolicyRule[] = [
  rule([...ISTIO_GROUPS, "authentication.istio.io", "rbac.istio.io"], ["*"], READ),
  rule(
    [""],
    ["endpoints", "pods", "services", "nodes", "replicationcontrollers", "namespaces", "secrets", "configmaps"],
    READ,
  ),
  rule(["apiextensions.k8s.io"], ["customresourcedefinitions"], READ),
  rule(["discovery.k8s.io"], ["endpointslices"], READ),
  rule(["apps"], ["replicasets"], READ),
  rule(["gateway.networking.k8s.io"], ["gateways"], READ),
  rule(["multicluster.x-k8s.io"], ["serviceexports"], [...READ, "create", "delete"]),
  rule(["multicluster.x-k8s.io"], ["serviceimports"], READ),
  rule(["authentication.k8s.io"], ["tokenreviews"], ["create"]),
  rule(["authorization.k8s.io"], ["subjectaccessreviews"], ["create"]),
];

/** What the control plane needs in its own cluster, all namespaces. */
export const ISTIOD_CLUSTER_RULES: readonly PolicyRule[] = [
  rule(
    ["admissionregistration.k8s.io"],
    ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"],
    [...READ, "update", "patch"],
  ),
  rule(ISTIO_GROUPS, ["*"], READ),
  rule(ISTIO_GROUPS, ["*/status"], ["get", "update", "patch"]),
  rule(["apiextensions.k8s.io"], ["customresourcedefinitions"], READ),
  rule([""], ["pods", "nodes", "services", "namespaces", "endpoints"], READ),
  rule(["discovery.k8s.io"], ["endpointslices"], READ),
  rule([""], ["configmaps"], [...READ, "create", "update", "patch"]),
  rule(["authentication.k8s.io"], ["tokenreviews"], ["create"]),
  rule(["authorization.k8s.io"], ["subjectaccessreviews"], ["create"]),
  rule(["gateway.networking.k8s.io", "multicluster.x-k8s.io"], ["*"], READ),
];

/** What the control plane needs in its own namespace only: its CA key, remote secrets, gateway credentials. */
export const ISTIOD_NAMESPACE_RULES: readonly PolicyRule[] = [
  rule([""], ["secrets"], [...READ, "create", "update", "patch"]),
  rule([""], ["configmaps"], ["create", "update", "patch", "delete"]),
  rule(["coordination.k8s.io"], ["leases"], [...READ, "create", "update", "patch"]),
];

/** A gateway may read the TLS credentials of its own namespace. */
export const GATEWAY_SDS_RULES: readonly PolicyRule[] = [rule([""], ["secrets"], READ)];

const GROUP = "rbac.authorization.k8s.io";
const API_VERSION = `${GROUP}/v1`;
type Labels = Record<string, string>;
interface Account {
  readonly name: string;
  readonly namespace: string;
}

export function clusterRole(name: string, labels: Labels, rules: readonly PolicyRule[]): ClusterRole {
  return { apiVersion: API_VERSION, kind: "ClusterRole", metadata: { name, labels }, rules: [...rules] };
}

/** Binds the ClusterRole of the same name. */
export function clusterRoleBinding(name: string, labels: Labels, account: Account): ClusterRoleBinding {
  return {
    apiVersion: API_VERSION,
    kind: "ClusterRoleBinding",
    metadata: { name, labels },
    roleRef: { apiGroup: GROUP, kind: "ClusterRole", name },
    subjects: [{ kind: "ServiceAccount", name: account.name, namespace: account.namespace }],
  };
}

export function role(name: string, namespace: string, labels: Labels, rules: readonly PolicyRule[]): Role {
  return { apiVersion: API_VERSION, kind: "Role", metadata: { name, namespace, labels }, rules: [...rules] };
}

/** Binds the Role of the same name in the account's namespace. */
export function roleBinding(name: string, labels: Labels, account: Account): RoleBinding {
  return {
    apiVersion: API_VERSION,
    kind: "RoleBinding",
    metadata: { name, namespace: account.namespace, labels },
    roleRef: { apiGroup: GROUP, kind: "Role", name },
    subjects: [{ kind: "ServiceAccount", name: account.name, namespace: account.namespace }],
  };
}
