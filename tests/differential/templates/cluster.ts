import type { JsonMap } from "../step.ts";
import type { Templates } from "./template.ts";

/** Requests of nobody: a configuration that is stored and shown, and never called. */
const NEVER_CALLED: JsonMap = {
  name: "w.example.com",
  clientConfig: { url: "https://127.0.0.1:1/never" },
  admissionReviewVersions: ["v1"],
  sideEffects: "None",
  failurePolicy: "Ignore",
  namespaceSelector: { matchLabels: { never: "true" } },
  rules: [{ apiGroups: ["never.example.com"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["nevers"] }],
};

const SUBJECTS: JsonMap[] = [
  { kind: "User", name: "dave-{{seq}}", apiGroup: "rbac.authorization.k8s.io" },
  { kind: "Group", name: "team-{{seq}}", apiGroup: "rbac.authorization.k8s.io" },
  { kind: "ServiceAccount", name: "default", namespace: "{{ns}}" },
];

const RULES: JsonMap[] = [
  { apiGroups: [""], resources: ["pods"], verbs: ["get", "list"] },
  { apiGroups: ["apps"], resources: ["deployments", "deployments/scale"], verbs: ["*"] },
  { apiGroups: [""], resources: ["configmaps"], resourceNames: ["a"], verbs: ["update"] },
];

export const clusterTemplates: Templates = {
  "rbac.authorization.k8s.io/Role": {
    make: (random) => ({ rules: random.some(RULES) }),
    changes: [{ rules: [] }, { rules: RULES.slice(0, 1) }],
    refused: [
      { rules: [{ resources: ["pods"], verbs: ["get"] }] },
      { rules: [{ apiGroups: [""], resources: ["pods"] }] },
    ],
  },
  "rbac.authorization.k8s.io/ClusterRole": {
    make: (random) => ({
      rules: [
        ...random.some(RULES),
        ...(random.chance(0.3) ? [{ nonResourceURLs: ["/metrics"], verbs: ["get"] }] : []),
      ],
    }),
    changes: [{ rules: [] }],
    refused: [{ rules: [{ nonResourceURLs: ["/x"], resources: ["pods"], apiGroups: [""], verbs: ["get"] }] }],
  },
  "rbac.authorization.k8s.io/RoleBinding": {
    make: (random) => ({
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: random.pick(["Role", "ClusterRole"]), name: "view" },
      subjects: random.some(SUBJECTS),
    }),
    changes: [{ subjects: SUBJECTS.slice(0, 1) }, { subjects: null }],
    refused: [{ roleRef: { name: "edit" } }, { subjects: [{ kind: "Own", name: "x" }] }],
  },
  "rbac.authorization.k8s.io/ClusterRoleBinding": {
    make: (random) => ({
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" },
      subjects: random.some(SUBJECTS),
    }),
    changes: [{ subjects: SUBJECTS.slice(1, 2) }],
    refused: [
      { roleRef: { name: "edit" } },
      { roleRef: { kind: "Role" } },
      { subjects: [{ kind: "ServiceAccount", name: "x" }] },
    ],
  },
  "networking.k8s.io/Ingress": {
    make: (random) => ({
      spec: random.pick<JsonMap>([
        { defaultBackend: { service: { name: "svc", port: { number: 80 } } } },
        {
          rules: [
            {
              host: "a.example.com",
              http: {
                paths: [
                  { path: "/", pathType: "Prefix", backend: { service: { name: "svc", port: { name: "http" } } } },
                ],
              },
            },
          ],
        },
        {
          ingressClassName: "none",
          tls: [{ hosts: ["a.example.com"], secretName: "s" }],
          defaultBackend: { service: { name: "svc", port: { number: 80 } } },
        },
      ]),
    }),
    changes: [{ spec: { ingressClassName: "other" } }, { spec: { tls: [{ hosts: ["b.example.com"] }] } }],
    refused: [
      { spec: { rules: [{ host: "BAD" }] } },
      { spec: { defaultBackend: { service: { name: "svc" } } } },
      { spec: { rules: [{ http: { paths: [] } }] } },
    ],
    status: [{ status: { loadBalancer: { ingress: [{ ip: "192.0.2.8" }] } } }],
  },
  "networking.k8s.io/IngressClass": {
    make: (random) => ({ spec: { controller: random.pick(["example.com/one", "example.com/two"]) } }),
    changes: [{ spec: { parameters: { kind: "Own", name: "p", apiGroup: "example.com", scope: "Cluster" } } }],
    refused: [{ spec: { controller: "example.com/three" } }, { spec: { parameters: { kind: "", name: "p" } } }],
  },
  // Of the family that no Service here gets addresses of.
  "networking.k8s.io/ServiceCIDR": {
    make: (random) => ({ spec: { cidrs: [random.pick(["2001:db8:5::/112", "2001:db8:6::/112"])] } }),
    changes: [{ metadata: { labels: { app: "b" } } }],
    refused: [
      { spec: { cidrs: ["2001:db8:7::/112"] } },
      { spec: { cidrs: ["2001:db8:5::1/112"] } },
      { spec: { cidrs: ["x"] } },
      { spec: { cidrs: ["10.96.131.0/024"] } },
      { spec: { cidrs: ["2001:DB8::/64"] } },
      { spec: { cidrs: ["::ffff:10.96.132.0/120"] } },
      { spec: { cidrs: [] } },
      { spec: { cidrs: ["10.1.0.0/16", "10.2.0.0/16"] } },
    ],
    status: [
      {
        status: {
          conditions: [
            { type: "Own", status: "True", reason: "R", message: "m", lastTransitionTime: "2001-02-03T04:05:06Z" },
          ],
        },
      },
    ],
  },
  "networking.k8s.io/IPAddress": {
    nameOf: (word) => `2001:db8::${word}:{{seqHex}}`,
    make: (random) => ({
      spec: {
        parentRef: random.pick<JsonMap>([
          { resource: "services", namespace: "{{ns}}", name: "svc" },
          { group: "gateway.example.com", resource: "gateways", name: "g" },
        ]),
      },
    }),
    changes: [{ metadata: { labels: { app: "b" } } }],
    refused: [
      { metadata: { name: "192.0.2.07" } },
      { spec: { parentRef: { name: "other" } } },
      { spec: { parentRef: { group: "Bad_Group", resource: "a/b", name: "..", namespace: "x/y" } } },
      { spec: { parentRef: { resource: "", name: "" } } },
      { spec: { parentRef: null } },
    ],
  },
  "networking.k8s.io/NetworkPolicy": {
    make: (random) => ({
      spec: random.pick<JsonMap>([
        { podSelector: {} },
        { podSelector: { matchLabels: { app: "a" } }, ingress: [{ ports: [{ port: 80 }] }], policyTypes: ["Ingress"] },
        { podSelector: {}, egress: [{ to: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] } }] }] },
      ]),
    }),
    changes: [{ spec: { ingress: [{ from: [{ namespaceSelector: {} }] }] } }],
    refused: [
      { spec: { policyTypes: ["Own"] } },
      { spec: { ingress: [{ ports: [{ port: 99999 }] }] } },
      { spec: { egress: [{ to: [{ ipBlock: { cidr: "x" } }] }] } },
    ],
  },
  "discovery.k8s.io/EndpointSlice": {
    make: (random) => ({
      addressType: "IPv4",
      endpoints: random.pick<JsonMap[]>([
        [],
        [{ addresses: ["10.1.2.3"], conditions: { ready: true } }],
        [
          {
            addresses: ["10.1.2.4"],
            nodeName: "n",
            targetRef: { kind: "Pod", name: "a", namespace: "{{ns}}" },
            zone: "z",
          },
        ],
      ]),
      ports: [
        random.pick<JsonMap>([
          { name: "http", port: 80 },
          { port: 53, protocol: "UDP" },
          { name: "x", port: 81, appProtocol: "http" },
        ]),
      ],
    }),
    changes: [{ endpoints: [{ addresses: ["10.1.2.8"] }] }, { ports: [] }],
    refused: [
      { addressType: "IPv6" },
      { endpoints: [{ addresses: ["x"] }] },
      {
        ports: [
          { name: "a", port: 1 },
          { name: "a", port: 2 },
        ],
      },
      { endpoints: [{ addresses: [] }] },
    ],
  },
  "scheduling.k8s.io/PriorityClass": {
    make: (random) => ({
      value: random.pick([10, 1000]),
      description: "a class",
      ...(random.chance(0.3) ? { preemptionPolicy: "Never" } : {}),
    }),
    changes: [{ description: "other" }],
    refused: [{ value: 11 }, { preemptionPolicy: "Own" }],
  },
  "storage.k8s.io/StorageClass": {
    make: (random) => ({
      provisioner: "example.com/p",
      ...random.pick<JsonMap>([
        {},
        { reclaimPolicy: "Retain" },
        { volumeBindingMode: "WaitForFirstConsumer", parameters: { a: "b" } },
      ]),
    }),
    changes: [{ allowVolumeExpansion: true }, { mountOptions: ["ro"] }],
    refused: [
      { provisioner: "example.com/q" },
      { reclaimPolicy: "Delete", parameters: { x: "y" } },
      { volumeBindingMode: "Own" },
    ],
  },
  "storage.k8s.io/CSIDriver": {
    make: (random) => ({
      spec: random.pick<JsonMap>([{}, { attachRequired: false }, { podInfoOnMount: true, fsGroupPolicy: "File" }]),
    }),
    changes: [{ spec: { requiresRepublish: true } }],
    refused: [{ spec: { fsGroupPolicy: "Own" } }, { spec: { volumeLifecycleModes: ["Own"] } }],
  },
  "storage.k8s.io/CSINode": {
    make: (random) => ({
      spec: {
        drivers: random.pick<JsonMap[]>([[], [{ name: "d.example.com", nodeID: "n1", topologyKeys: ["zone"] }]]),
      },
    }),
    changes: [{ spec: { drivers: [] } }],
    refused: [{ spec: { drivers: [{ name: "", nodeID: "x", topologyKeys: [] }] } }],
  },
  "storage.k8s.io/CSIStorageCapacity": {
    make: (random) => ({
      storageClassName: "sc",
      capacity: random.pick(["1Gi", "2Gi"]),
      nodeTopology: { matchLabels: { zone: "a" } },
    }),
    changes: [{ capacity: "5Gi" }, { maximumVolumeSize: "1Gi" }],
    refused: [{ storageClassName: "other" }, { capacity: "-1" }],
  },
  "storage.k8s.io/VolumeAttachment": {
    make: (random) => ({
      spec: { attacher: "a.example.com", nodeName: random.pick(["n1", "n2"]), source: { persistentVolumeName: "pv" } },
    }),
    refused: [{ spec: { nodeName: "n3" } }, { spec: { attacher: "" } }],
    status: [{ status: { attached: true } }],
  },
  "storage.k8s.io/VolumeAttributesClass": {
    make: () => ({ driverName: "d.example.com", parameters: { iops: "100" } }),
    refused: [{ driverName: "e.example.com" }, { parameters: { iops: "200" } }],
  },
  "node.k8s.io/RuntimeClass": {
    make: (random) => ({
      handler: random.pick(["runc", "kata"]),
      ...(random.chance(0.3) ? { overhead: { podFixed: { cpu: "10m" } } } : {}),
    }),
    changes: [{ scheduling: { nodeSelector: { a: "b" } } }],
    refused: [{ handler: "other" }, { handler: "Bad Handler" }],
  },
  "admissionregistration.k8s.io/ValidatingWebhookConfiguration": {
    make: (random) => ({ webhooks: random.chance(0.8) ? [NEVER_CALLED] : [] }),
    changes: [{ webhooks: [] }, { webhooks: [{ ...NEVER_CALLED, timeoutSeconds: 3 }] }],
    refused: [
      { webhooks: [{ ...NEVER_CALLED, name: "short" }] },
      { webhooks: [{ ...NEVER_CALLED, sideEffects: "Some" }] },
      { webhooks: [{ ...NEVER_CALLED, timeoutSeconds: 31 }] },
    ],
  },
  "admissionregistration.k8s.io/MutatingWebhookConfiguration": {
    make: (random) => ({
      webhooks: [{ ...NEVER_CALLED, ...(random.chance(0.5) ? { reinvocationPolicy: "IfNeeded" } : {}) }],
    }),
    changes: [{ webhooks: [] }, { webhooks: [{ ...NEVER_CALLED, matchPolicy: "Exact" }] }],
    refused: [
      { webhooks: [{ ...NEVER_CALLED, admissionReviewVersions: ["v9"] }] },
      { webhooks: [{ ...NEVER_CALLED, clientConfig: { url: "http://x" } }] },
    ],
  },
  "admissionregistration.k8s.io/ValidatingAdmissionPolicy": {
    make: () => ({
      spec: {
        failurePolicy: "Ignore",
        matchConstraints: {
          namespaceSelector: { matchLabels: { never: "true" } },
          resourceRules: [
            { apiGroups: ["never.example.com"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["nevers"] },
          ],
        },
        validations: [{ expression: "true" }],
      },
    }),
    changes: [{ spec: { failurePolicy: "Fail" } }],
    refused: [{ spec: { validations: [{ expression: "(" }] } }, { spec: { failurePolicy: "Own" } }],
  },
  "admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding": {
    make: () => ({ spec: { policyName: "p.example.com", validationActions: ["Deny"] } }),
    changes: [{ spec: { validationActions: ["Warn"] } }],
    refused: [{ spec: { validationActions: ["Deny", "Warn"] } }, { spec: { validationActions: [] } }],
  },
  "certificates.k8s.io/CertificateSigningRequest": {
    make: () => ({
      spec: { request: CSR, signerName: "example.com/signer", usages: ["digital signature", "key encipherment"] },
    }),
    refused: [{ spec: { signerName: "example.com/other" } }],
    status: [{ status: { certificate: null } }],
  },
  "flowcontrol.apiserver.k8s.io/FlowSchema": {
    make: (random) => ({
      spec: {
        priorityLevelConfiguration: { name: "none-such" },
        matchingPrecedence: 9000,
        ...(random.chance(0.5) ? { distinguisherMethod: { type: "ByUser" } } : {}),
      },
    }),
    changes: [{ spec: { matchingPrecedence: 8999 } }],
    refused: [{ spec: { matchingPrecedence: 0 } }, { spec: { distinguisherMethod: { type: "Own" } } }],
  },
  "flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration": {
    make: () => ({
      spec: { type: "Limited", limited: { nominalConcurrencyShares: 1, limitResponse: { type: "Reject" } } },
    }),
    changes: [{ spec: { limited: { nominalConcurrencyShares: 2 } } }],
    refused: [{ spec: { type: "Own" } }, { spec: { limited: null } }],
  },
  "apiextensions.k8s.io/CustomResourceDefinition": {
    make: () => ({}),
    fixedNames: true,
  },
  "apiregistration.k8s.io/APIService": {
    make: () => ({}),
    fixedNames: true,
  },
};

/** A P-256 request for CN=alice. */
const CSR =
  "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIS01ISUNBUUF3RURFT01Bd0dBMVVFQXd3RllXeHBZMlV3V1RBVEJnY3Foa2pPUFFJQkJnZ3Foa2pPUFFNQgpCd05DQUFURlFEeGJzU1ljSFlNU3BxV0xJV3RiUEVLdXl0bTVZMHc5TEdmQk1XTWt2TlZiaXhqa3BFbG11UUJJCjNUV3Fna3pLYzBva3VNTyt0NUNiYUt4VEYwNVJvQUF3Q2dZSUtvWkl6ajBFQXdJRFNBQXdSUUloQU9KaGhjRWsKV2t0QTNoVE5QMTB4d0lvdnVKdS9GZWQrWEE0ZHRieGtCZnNKQWlCMWJPR1N1TEtYcWZBa3lIZWZkWDR3MDArcwpwSDh6cExPS1UxcERSelJlakE9PQotLS0tLUVORCBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K";
