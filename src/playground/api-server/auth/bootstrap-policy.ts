// The roles and bindings that every cluster has from its first moment, as data. Kinds that the playground does not serve
// are left out; names, verbs and aggregation labels are Kubernetes' own.
import type { JsonObject } from "../contract.ts";
import { RBAC_GROUP } from "./rbac-index.ts";

const READ = ["get", "list", "watch"];
const WRITE = ["create", "delete", "deletecollection", "patch", "update"];
const ALL = ["*"];

interface Rule {
  readonly groups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

const on = (groups: string | readonly string[], resources: readonly string[], verbs: readonly string[]): Rule => ({
  groups: [groups].flat(),
  resources,
  verbs,
});

const renderRule = ({ groups, resources, verbs }: Rule): JsonObject => ({
  apiGroups: [...groups],
  resources: [...resources],
  verbs: [...verbs],
});

const urls = (nonResourceURLs: readonly string[]): JsonObject => ({
  nonResourceURLs: [...nonResourceURLs],
  verbs: ["get"],
});

const WORKLOADS = [
  "daemonsets",
  "deployments",
  "deployments/scale",
  "replicasets",
  "replicasets/scale",
  "statefulsets",
];
const SCALED = [...WORKLOADS, "statefulsets/scale"];
const STATUSES = ["daemonsets/status", "deployments/status", "replicasets/status", "statefulsets/status"];
const CORE = ["configmaps", "endpoints", "persistentvolumeclaims", "pods", "replicationcontrollers", "services"];
const CORE_SCALED = [...CORE, "replicationcontrollers/scale", "serviceaccounts"];

const VIEW_RULES = [
  on("", CORE_SCALED, READ),
  on("", ["persistentvolumeclaims/status", "pods/log", "pods/status", "services/status"], READ),
  on("", ["bindings", "events", "limitranges", "namespaces", "namespaces/status", "resourcequotas"], READ),
  on("", ["replicationcontrollers/status", "resourcequotas/status"], READ),
  on("discovery.k8s.io", ["endpointslices"], READ),
  on("apps", ["controllerrevisions", ...SCALED, ...STATUSES], READ),
  on("autoscaling", ["horizontalpodautoscalers", "horizontalpodautoscalers/status"], READ),
  on("batch", ["cronjobs", "cronjobs/status", "jobs", "jobs/status"], READ),
  on("policy", ["poddisruptionbudgets", "poddisruptionbudgets/status"], READ),
  on("networking.k8s.io", ["ingresses", "ingresses/status", "networkpolicies"], READ),
];

const EDIT_RULES = [
  on("", ["pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "secrets", "services/proxy"], READ),
  on("", ["serviceaccounts"], ["impersonate"]),
  on("", ["pods", "pods/attach", "pods/exec", "pods/portforward", "pods/proxy"], WRITE),
  on("", ["pods/eviction", "serviceaccounts/token"], ["create"]),
  on("", [...CORE_SCALED.filter((name) => name !== "endpoints"), "secrets", "services/proxy", "events"], WRITE),
  on("apps", SCALED, WRITE),
  on("autoscaling", ["horizontalpodautoscalers"], WRITE),
  on("batch", ["cronjobs", "jobs"], WRITE),
  on("policy", ["poddisruptionbudgets"], WRITE),
  on("networking.k8s.io", ["ingresses", "networkpolicies"], WRITE),
  on("coordination.k8s.io", ["leases"], [...READ, ...WRITE]),
];

const ADMIN_RULES = [
  on("authorization.k8s.io", ["localsubjectaccessreviews"], ["create"]),
  on(RBAC_GROUP, ["rolebindings", "roles"], [...READ, ...WRITE]),
];

const META_GROUP = { "kubernetes.io/bootstrapping": "rbac-defaults" };

function metadata(name: string, labels: Record<string, string> = {}): JsonObject {
  return {
    name,
    labels: { ...META_GROUP, ...labels },
    annotations: { "rbac.authorization.kubernetes.io/autoupdate": "true" },
  };
}

function role(name: string, rules: JsonObject[], labels?: Record<string, string>): JsonObject {
  return { apiVersion: `${RBAC_GROUP}/v1`, kind: "ClusterRole", metadata: metadata(name, labels), rules };
}

const aggregateTo = (name: string) => `rbac.authorization.k8s.io/aggregate-to-${name}`;

/** `admin`, `edit` and `view` collect the rules of every ClusterRole that carries their label. */
function aggregated(name: string, labels?: Record<string, string>): JsonObject {
  const selector = { matchLabels: { [aggregateTo(name)]: "true" } };
  return { ...role(name, [], labels), aggregationRule: { clusterRoleSelectors: [selector] } };
}

function binding(name: string, roleName: string, ...groups: string[]): JsonObject {
  return {
    apiVersion: `${RBAC_GROUP}/v1`,
    kind: "ClusterRoleBinding",
    metadata: metadata(name),
    roleRef: { apiGroup: RBAC_GROUP, kind: "ClusterRole", name: roleName },
    subjects: groups.map((group) => ({ apiGroup: RBAC_GROUP, kind: "Group", name: group })),
  };
}

const AUTHENTICATED = "system:authenticated";
const HEALTH = ["/healthz", "/livez", "/readyz", "/version", "/version/"];
const DISCOVERY = ["/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*"];
const REVIEWS = ["selfsubjectaccessreviews", "selfsubjectrulesreviews"];

const rules = (list: readonly Rule[]) => list.map(renderRule);

/** The default ClusterRoles and ClusterRoleBindings, to be created before the first request is served. */
export function bootstrapPolicy(): JsonObject[] {
  return [
    role("cluster-admin", [...rules([on("*", ALL, ALL)]), { nonResourceURLs: ["*"], verbs: ["*"] }]),
    binding("cluster-admin", "cluster-admin", "system:masters"),
    role("system:discovery", [urls([...DISCOVERY, ...HEALTH])]),
    binding("system:discovery", "system:discovery", AUTHENTICATED),
    role("system:public-info-viewer", [urls(HEALTH)]),
    binding("system:public-info-viewer", "system:public-info-viewer", AUTHENTICATED, "system:unauthenticated"),
    role("system:basic-user", [
      ...rules([
        on("authorization.k8s.io", REVIEWS, ["create"]),
        on("authentication.k8s.io", ["selfsubjectreviews"], ["create"]),
      ]),
    ]),
    binding("system:basic-user", "system:basic-user", AUTHENTICATED),
    role("system:service-account-issuer-discovery", [
      urls(["/.well-known/openid-configuration", "/.well-known/openid-configuration/", "/openid/v1/jwks"]),
    ]),
    binding(
      "system:service-account-issuer-discovery",
      "system:service-account-issuer-discovery",
      "system:serviceaccounts",
    ),
    role("system:auth-delegator", [
      ...rules([
        on("authentication.k8s.io", ["tokenreviews"], ["create"]),
        on("authorization.k8s.io", ["subjectaccessreviews"], ["create"]),
      ]),
    ]),
    role("system:monitoring", [urls([...HEALTH, "/healthz/*", "/livez/*", "/readyz/*", "/metrics"])]),
    binding("system:monitoring", "system:monitoring", "system:monitoring"),
    // The node authorizer decides for nodes; the role exists for the eyes and for those who bind it.
    role("system:node", rules([on("", ["nodes", "pods", "services"], READ)])),
    { ...binding("system:node", "system:node"), subjects: [] },
    role("system:node-proxier", [
      ...rules([
        on("", ["endpoints", "services"], ["list", "watch"]),
        on("", ["nodes"], READ),
        on("discovery.k8s.io", ["endpointslices"], ["list", "watch"]),
        on(["", "events.k8s.io"], ["events"], ["create", "patch", "update"]),
      ]),
    ]),
    {
      ...binding("system:node-proxier", "system:node-proxier"),
      subjects: [{ apiGroup: RBAC_GROUP, kind: "User", name: "system:kube-proxy" }],
    },
    aggregated("admin"),
    aggregated("edit", { [aggregateTo("admin")]: "true" }),
    aggregated("view", { [aggregateTo("edit")]: "true" }),
    role("system:aggregate-to-admin", rules(ADMIN_RULES), { [aggregateTo("admin")]: "true" }),
    role("system:aggregate-to-edit", rules(EDIT_RULES), { [aggregateTo("edit")]: "true" }),
    role("system:aggregate-to-view", rules(VIEW_RULES), { [aggregateTo("view")]: "true" }),
  ];
}
