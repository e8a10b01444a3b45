// One row a kind: how it is called in YAML and where it lives in the Kubernetes API.

export interface ResourceType {
  /** "" for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

const row = (apiVersion: string, kind: string, plural: string, namespaced = true): ResourceType => {
  const slash = apiVersion.indexOf("/");
  const group = slash < 0 ? "" : apiVersion.slice(0, slash);
  return { group, version: apiVersion.slice(slash + 1), kind, plural, namespaced };
};

export const Kinds = {
  Namespace: row("v1", "Namespace", "namespaces", false),
  Node: row("v1", "Node", "nodes", false),
  Pod: row("v1", "Pod", "pods"),
  Service: row("v1", "Service", "services"),
  Endpoints: row("v1", "Endpoints", "endpoints"),
  Secret: row("v1", "Secret", "secrets"),
  ConfigMap: row("v1", "ConfigMap", "configmaps"),
  ServiceAccount: row("v1", "ServiceAccount", "serviceaccounts"),
  Event: row("v1", "Event", "events"),
  Deployment: row("apps/v1", "Deployment", "deployments"),
  ReplicaSet: row("apps/v1", "ReplicaSet", "replicasets"),
  StatefulSet: row("apps/v1", "StatefulSet", "statefulsets"),
  DaemonSet: row("apps/v1", "DaemonSet", "daemonsets"),
  Job: row("batch/v1", "Job", "jobs"),
  CronJob: row("batch/v1", "CronJob", "cronjobs"),
  ControllerRevision: row("apps/v1", "ControllerRevision", "controllerrevisions"),
  ReplicationController: row("v1", "ReplicationController", "replicationcontrollers"),
  PersistentVolumeClaim: row("v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
  PersistentVolume: row("v1", "PersistentVolume", "persistentvolumes", false),
  ServiceCIDR: row("networking.k8s.io/v1", "ServiceCIDR", "servicecidrs", false),
  IPAddress: row("networking.k8s.io/v1", "IPAddress", "ipaddresses", false),
  StorageClass: row("storage.k8s.io/v1", "StorageClass", "storageclasses", false),
  CertificateSigningRequest: row(
    "certificates.k8s.io/v1",
    "CertificateSigningRequest",
    "certificatesigningrequests",
    false,
  ),
  EndpointSlice: row("discovery.k8s.io/v1", "EndpointSlice", "endpointslices"),
  Lease: row("coordination.k8s.io/v1", "Lease", "leases"),
  Role: row("rbac.authorization.k8s.io/v1", "Role", "roles"),
  RoleBinding: row("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings"),
  ClusterRole: row("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", false),
  ClusterRoleBinding: row("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings", false),
  HorizontalPodAutoscaler: row("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
  PodDisruptionBudget: row("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"),
  TokenReview: row("authentication.k8s.io/v1", "TokenReview", "tokenreviews", false),
  SubjectAccessReview: row("authorization.k8s.io/v1", "SubjectAccessReview", "subjectaccessreviews", false),
  MutatingWebhookConfiguration: row(
    "admissionregistration.k8s.io/v1",
    "MutatingWebhookConfiguration",
    "mutatingwebhookconfigurations",
    false,
  ),
  ValidatingWebhookConfiguration: row(
    "admissionregistration.k8s.io/v1",
    "ValidatingWebhookConfiguration",
    "validatingwebhookconfigurations",
    false,
  ),
  CustomResourceDefinition: row(
    "apiextensions.k8s.io/v1",
    "CustomResourceDefinition",
    "customresourcedefinitions",
    false,
  ),
  Gateway: row("networking.istio.io/v1", "Gateway", "gateways"),
  VirtualService: row("networking.istio.io/v1", "VirtualService", "virtualservices"),
  DestinationRule: row("networking.istio.io/v1", "DestinationRule", "destinationrules"),
  ServiceEntry: row("networking.istio.io/v1", "ServiceEntry", "serviceentries"),
  Sidecar: row("networking.istio.io/v1", "Sidecar", "sidecars"),
  PeerAuthentication: row("security.istio.io/v1", "PeerAuthentication", "peerauthentications"),
} as const satisfies Record<string, ResourceType>;

/** `v1` or `apps/v1`. */
export function apiVersionOf(type: ResourceType): string {
  return type.group === "" ? type.version : `${type.group}/${type.version}`;
}

/** The URL path of a collection or of one object: `/apis/apps/v1/namespaces/ns/deployments/name`. */
export function resourcePath(
  type: ResourceType,
  at: { namespace?: string; name?: string; subresource?: string } = {},
): string {
  const parts = [type.group === "" ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`];
  if (type.namespaced && at.namespace !== undefined) parts.push("namespaces", encodeURIComponent(at.namespace));
  parts.push(type.plural);
  if (at.name !== undefined) parts.push(encodeURIComponent(at.name));
  if (at.subresource !== undefined) parts.push(at.subresource);
  return parts.join("/");
}
