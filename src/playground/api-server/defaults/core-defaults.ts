import type { JsonObject } from "../contract.ts";
import { arrayAt, objectAt, stringAt } from "../json.ts";
import type { DefaultTable } from "./default-rule.ts";

const CORE = "io.k8s.api.core.v1.";

const HOST = String.raw`(?:[\da-zA-Z](?:[\da-zA-Z-]*[\da-zA-Z])?(?:\.[\da-zA-Z](?:[\da-zA-Z-]*[\da-zA-Z])?)*|\[[\da-fA-F:]+\])(?::\d+)?/`;
const PART = String.raw`[a-z\d]+(?:(?:\.|_|__|-+)[a-z\d]+)*`;
/** An image's name as registries know it: the tag is the first group, a digest the second. */
const IMAGE = new RegExp(
  String.raw`^(?:${HOST})?${PART}(?:/${PART})*(?::(\w[\w.-]{0,127}))?(?:@(sha\d+:[\da-f]{64,}))?$`,
);

/** `Always` for images with the tag `latest`, or with neither tag nor digest; not for what is no image's name. */
function pullPolicy(container: JsonObject): string {
  const found = IMAGE.exec(stringAt(container, "image"));
  if (found === null) return "IfNotPresent";
  const [, tag = "", digest = ""] = found;
  return tag === "latest" || (tag === "" && digest === "") ? "Always" : "IfNotPresent";
}

const container = {
  terminationMessagePath: "/dev/termination-log",
  terminationMessagePolicy: "File",
  imagePullPolicy: pullPolicy,
  resources: {},
};

const VOLUME_SOURCES_APART = new Set(["name"]);

const ISCSI = { iscsiInterface: "default" };
const RBD = { pool: "rbd", user: "admin", keyring: "/etc/ceph/keyring" };
const SCALE_IO = { storageMode: "ThinProvisioned", fsType: "xfs" };

export const coreDefaults: DefaultTable = {
  [`${CORE}PodSpec`]: {
    restartPolicy: "Always",
    dnsPolicy: "ClusterFirst",
    terminationGracePeriodSeconds: 30,
    securityContext: {},
    schedulerName: "default-scheduler",
    serviceAccountName: (spec) => stringAt(spec, "serviceAccount") || undefined,
    serviceAccount: (spec) => stringAt(spec, "serviceAccountName") || undefined,
  },
  [`${CORE}Container`]: container,
  [`${CORE}EphemeralContainer`]: container,
  [`${CORE}ContainerPort`]: { protocol: "TCP" },
  [`${CORE}Probe`]: { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 },
  [`${CORE}HTTPGetAction`]: { path: "/", scheme: "HTTP" },
  [`${CORE}GRPCAction`]: { service: "" },
  [`${CORE}ObjectFieldSelector`]: { apiVersion: "v1" },
  [`${CORE}Volume`]: {
    emptyDir: (volume) => (Object.keys(volume).every((key) => VOLUME_SOURCES_APART.has(key)) ? {} : undefined),
  },
  [`${CORE}SecretVolumeSource`]: { defaultMode: 0o644 },
  [`${CORE}ConfigMapVolumeSource`]: { defaultMode: 0o644 },
  [`${CORE}DownwardAPIVolumeSource`]: { defaultMode: 0o644 },
  [`${CORE}ProjectedVolumeSource`]: { defaultMode: 0o644 },
  [`${CORE}ServiceAccountTokenProjection`]: { expirationSeconds: 3600 },
  [`${CORE}ImageVolumeSource`]: { pullPolicy: (source) => pullPolicy({ image: source["reference"] ?? "" }) },
  [`${CORE}HostPathVolumeSource`]: { type: "" },
  [`${CORE}ISCSIVolumeSource`]: ISCSI,
  [`${CORE}ISCSIPersistentVolumeSource`]: ISCSI,
  [`${CORE}RBDVolumeSource`]: RBD,
  [`${CORE}RBDPersistentVolumeSource`]: RBD,
  [`${CORE}ScaleIOVolumeSource`]: SCALE_IO,
  [`${CORE}ScaleIOPersistentVolumeSource`]: SCALE_IO,
  [`${CORE}AzureDiskVolumeSource`]: { cachingMode: "ReadWrite", fsType: "ext4", readOnly: false, kind: "Shared" },
  [`${CORE}FileKeySelector`]: { optional: false },
  [`${CORE}ServiceSpec`]: {
    type: "ClusterIP",
    sessionAffinity: "None",
    sessionAffinityConfig: (spec) =>
      spec["sessionAffinity"] === "ClientIP" ? { clientIP: { timeoutSeconds: 10800 } } : undefined,
    internalTrafficPolicy: (spec) => (spec["type"] === "ExternalName" ? undefined : "Cluster"),
    externalTrafficPolicy: (spec) => (isExternal(spec) ? "Cluster" : undefined),
    allocateLoadBalancerNodePorts: (spec) => (spec["type"] === "LoadBalancer" ? true : undefined),
  },
  [`${CORE}ServicePort`]: { protocol: "TCP", targetPort: (port) => port["port"] },
  [`${CORE}EndpointPort`]: { protocol: "TCP" },
  [`${CORE}Secret`]: { type: "Opaque" },
  [`${CORE}PersistentVolumeClaimSpec`]: { volumeMode: "Filesystem" },
  [`${CORE}ReplicationControllerSpec`]: {
    replicas: 1,
    selector: (spec) => ({ ...objectAt(spec, "template", "metadata", "labels") }),
  },
};

const isExternal = (spec: JsonObject) =>
  spec["type"] === "NodePort" || spec["type"] === "LoadBalancer" || arrayAt(spec, "externalIPs").length > 0;
