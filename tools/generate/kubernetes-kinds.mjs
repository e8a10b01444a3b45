// What Kubernetes' description does not say about its kinds: plural, scope, short names, categories, subresources.
// One row a kind: "Kind plural [cluster] [short=a,b] [all] [sub=status,scale] [create]"; `create` marks kinds that are
// computed instead of stored. `storedAs` names the group and version that an older or younger door shares objects with.
// Groups stand in the order in which discovery lists them, versions with the preferred one first.
export const GROUPS = [
  {
    group: "",
    version: "v1",
    package: "io.k8s.api.core.v1",
    kinds: [
      "Binding bindings create",
      "ConfigMap configmaps short=cm",
      "Endpoints endpoints short=ep",
      "Event events short=ev",
      "LimitRange limitranges short=limits",
      "Namespace namespaces cluster short=ns sub=status,finalize",
      "Node nodes cluster short=no sub=status,proxy",
      "PersistentVolumeClaim persistentvolumeclaims short=pvc sub=status",
      "PersistentVolume persistentvolumes cluster short=pv sub=status",
      "Pod pods short=po all sub=status,log,exec,attach,portforward,proxy,binding,eviction,ephemeralcontainers,resize",
      "PodTemplate podtemplates",
      "ReplicationController replicationcontrollers short=rc all sub=status,scale",
      "ResourceQuota resourcequotas short=quota sub=status",
      "Secret secrets",
      "ServiceAccount serviceaccounts short=sa sub=token",
      "Service services short=svc all sub=status,proxy",
    ],
  },
  {
    group: "apiregistration.k8s.io",
    version: "v1",
    package: "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1",
    kinds: ["APIService apiservices cluster sub=status"],
  },
  {
    group: "apps",
    version: "v1",
    package: "io.k8s.api.apps.v1",
    kinds: [
      "ControllerRevision controllerrevisions",
      "DaemonSet daemonsets short=ds all sub=status",
      "Deployment deployments short=deploy all sub=status,scale",
      "ReplicaSet replicasets short=rs all sub=status,scale",
      "StatefulSet statefulsets short=sts all sub=status,scale",
    ],
  },
  {
    group: "events.k8s.io",
    version: "v1",
    package: "io.k8s.api.events.v1",
    storedAs: { group: "", version: "v1" },
    kinds: ["Event events short=ev"],
  },
  {
    group: "authentication.k8s.io",
    version: "v1",
    package: "io.k8s.api.authentication.v1",
    kinds: ["SelfSubjectReview selfsubjectreviews cluster create", "TokenReview tokenreviews cluster create"],
  },
  {
    group: "authorization.k8s.io",
    version: "v1",
    package: "io.k8s.api.authorization.v1",
    kinds: [
      "LocalSubjectAccessReview localsubjectaccessreviews create",
      "SelfSubjectAccessReview selfsubjectaccessreviews cluster create",
      "SelfSubjectRulesReview selfsubjectrulesreviews cluster create",
      "SubjectAccessReview subjectaccessreviews cluster create",
    ],
  },
  {
    group: "autoscaling",
    version: "v2",
    package: "io.k8s.api.autoscaling.v2",
    kinds: ["HorizontalPodAutoscaler horizontalpodautoscalers short=hpa all sub=status"],
  },
  {
    group: "autoscaling",
    version: "v1",
    package: "io.k8s.api.autoscaling.v1",
    storedAs: { group: "autoscaling", version: "v2" },
    kinds: ["HorizontalPodAutoscaler horizontalpodautoscalers short=hpa all sub=status"],
  },
  {
    group: "batch",
    version: "v1",
    package: "io.k8s.api.batch.v1",
    kinds: ["CronJob cronjobs short=cj all sub=status", "Job jobs all sub=status"],
  },
  {
    group: "certificates.k8s.io",
    version: "v1",
    package: "io.k8s.api.certificates.v1",
    kinds: ["CertificateSigningRequest certificatesigningrequests cluster short=csr sub=status,approval"],
  },
  {
    group: "networking.k8s.io",
    version: "v1",
    package: "io.k8s.api.networking.v1",
    kinds: [
      "IngressClass ingressclasses cluster",
      "Ingress ingresses short=ing sub=status",
      "IPAddress ipaddresses cluster short=ip",
      "NetworkPolicy networkpolicies short=netpol",
      "ServiceCIDR servicecidrs cluster sub=status",
    ],
  },
  {
    group: "policy",
    version: "v1",
    package: "io.k8s.api.policy.v1",
    kinds: ["PodDisruptionBudget poddisruptionbudgets short=pdb sub=status"],
  },
  {
    group: "rbac.authorization.k8s.io",
    version: "v1",
    package: "io.k8s.api.rbac.v1",
    kinds: [
      "ClusterRoleBinding clusterrolebindings cluster",
      "ClusterRole clusterroles cluster",
      "RoleBinding rolebindings",
      "Role roles",
    ],
  },
  {
    group: "storage.k8s.io",
    version: "v1",
    package: "io.k8s.api.storage.v1",
    kinds: [
      "CSIDriver csidrivers cluster",
      "CSINode csinodes cluster",
      "CSIStorageCapacity csistoragecapacities",
      "StorageClass storageclasses cluster short=sc",
      "VolumeAttachment volumeattachments cluster sub=status",
      "VolumeAttributesClass volumeattributesclasses cluster short=vac",
    ],
  },
  {
    group: "admissionregistration.k8s.io",
    version: "v1",
    package: "io.k8s.api.admissionregistration.v1",
    kinds: [
      "MutatingWebhookConfiguration mutatingwebhookconfigurations cluster",
      "ValidatingAdmissionPolicy validatingadmissionpolicies cluster sub=status",
      "ValidatingAdmissionPolicyBinding validatingadmissionpolicybindings cluster",
      "ValidatingWebhookConfiguration validatingwebhookconfigurations cluster",
    ],
  },
  {
    group: "apiextensions.k8s.io",
    version: "v1",
    package: "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1",
    kinds: ["CustomResourceDefinition customresourcedefinitions cluster short=crd,crds api-extensions sub=status"],
  },
  {
    group: "scheduling.k8s.io",
    version: "v1",
    package: "io.k8s.api.scheduling.v1",
    kinds: ["PriorityClass priorityclasses cluster short=pc"],
  },
  {
    group: "coordination.k8s.io",
    version: "v1",
    package: "io.k8s.api.coordination.v1",
    kinds: ["Lease leases"],
  },
  {
    group: "node.k8s.io",
    version: "v1",
    package: "io.k8s.api.node.v1",
    kinds: ["RuntimeClass runtimeclasses cluster"],
  },
  {
    group: "discovery.k8s.io",
    version: "v1",
    package: "io.k8s.api.discovery.v1",
    kinds: ["EndpointSlice endpointslices"],
  },
  {
    group: "flowcontrol.apiserver.k8s.io",
    version: "v1",
    package: "io.k8s.api.flowcontrol.v1",
    kinds: [
      "FlowSchema flowschemas cluster sub=status",
      "PriorityLevelConfiguration prioritylevelconfigurations cluster sub=status",
    ],
  },
];

/** Definitions beside those of the kinds: bodies of subresources and what the engine itself reads. */
export const EXTRA_DEFINITIONS = [
  "io.k8s.api.autoscaling.v1.Scale",
  "io.k8s.api.authentication.v1.TokenRequest",
  "io.k8s.api.policy.v1.Eviction",
  "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions",
  "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta",
];

/** One parsed row. */
export function kindRow(row, place) {
  const [kind, plural, ...words] = row.split(" ");
  const value = (name) =>
    words
      .find((word) => word.startsWith(`${name}=`))
      ?.slice(name.length + 1)
      .split(",") ?? [];
  return {
    group: place.group,
    version: place.version,
    kind,
    plural,
    namespaced: !words.includes("cluster"),
    shortNames: value("short"),
    categories: ["all", "api-extensions"].filter((name) => words.includes(name)),
    subresources: value("sub"),
    stored: !words.includes("create"),
    definition: `${place.package}.${kind}`,
    storedAs: place.storedAs ?? { group: place.group, version: place.version },
  };
}
