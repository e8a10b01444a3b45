// Who may do what: one table of rules for each identity, as narrow as its program needs.
import { NAMES } from "#api/constants/names";
import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding } from "#api/kubernetes/gen/types";

const READ = ["get", "list", "watch"];
const ISTIO_GROUPS = ["security.istio.io", "networking.istio.io", "telemetry.istio.io", "extensions.istio.io"];

const rule = (apiGroups: string[], resources: string[], verbs: string[], resourceNames?: string[]): PolicyRule => ({
  apiGroups,
  resources,
  verbs,
  ...(resourceNames === undefined ? {} : { resourceNames }),
});

/** What both the own and a remote control plane read of a cluster, and the review of its tokens. */
const DISCOVERY_RULES: readonly PolicyRule[] = [
  rule([""], ["namespaces", "nodes", "pods", "services"], READ),
  rule(["discovery.k8s.io"], ["endpointslices"], READ),
  rule(["authentication.k8s.io"], ["tokenreviews"], ["create"]),
];

/** What a remote control plane needs to discover this cluster. The root ConfigMap tells whether both trust one root. */
export const READER_RULES: readonly PolicyRule[] = [
  ...DISCOVERY_RULES,
  rule([""], ["configmaps"], READ, [NAMES.rootCertConfigMap]),
];

/** What the control plane needs in its own cluster, all namespaces. No Secret is among it. */
export function istiodClusterRules(webhookNames: readonly string[]): PolicyRule[] {
  const webhooks = ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"];
  return [
    ...DISCOVERY_RULES,
    rule(ISTIO_GROUPS, ["*"], READ),
    rule([""], ["configmaps"], [...READ, "update"], [NAMES.rootCertConfigMap]),
    // The name of what is made is not known to RBAC: creation cannot be limited to the root ConfigMap.
    rule([""], ["configmaps"], ["create"]),
    rule(["admissionregistration.k8s.io"], webhooks, READ),
    rule(["admissionregistration.k8s.io"], webhooks, ["update"], [...webhookNames]),
  ];
}

/** What the control plane needs in its own namespace only: CA key, remote secrets, gateway credentials, settings. */
export const ISTIOD_NAMESPACE_RULES: readonly PolicyRule[] = [
  rule([""], ["secrets"], [...READ, "create"]),
  rule([""], ["configmaps"], READ),
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
