// API priority and fairness: which FlowSchema and priority level answers name, for whom and for what.
import { builtin, type SequenceBuilder, type StepOptions } from "../generate/builder.ts";
import type { JsonMap } from "../step.ts";
import type { Area } from "./area.ts";

const schema = builtin("flowcontrol.apiserver.k8s.io", "FlowSchema");
const level = builtin("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration");
const configMap = builtin("", "ConfigMap");

export const flows: Area = {
  name: "flows",
  weight: 2,
  held: true,
  make(builder) {
    const { random } = builder;
    builder.namespace();
    if (random.chance(0.5)) ownSchema(builder);
    const turns = 6 + random.int(10);
    for (let i = 0; i < turns; i++) ask(builder);
    if (random.chance(0.3)) {
      builder.delete(schema, "flow-{{seq}}");
      probe(builder, "lacks");
      for (let i = 0; i < 3; i++) ask(builder);
    }
  },
};

const OWN = { "impersonate-user": "own-{{seq}}", "impersonate-group": "group-{{seq}}" };

/** Of the sequence's own users; the first rule is there to see when it begins and ends to count. */
function ownSchema(builder: SequenceBuilder): void {
  const { random } = builder;
  const ownLevel = random.chance(0.5);
  if (ownLevel) builder.create(level, "level-{{seq}}");
  const user = { kind: "User", user: { name: "own-{{seq}}" } };
  const subjects = random.pick<JsonMap[]>([
    [user],
    [{ kind: "Group", group: { name: "group-{{seq}}" } }],
    [{ kind: "ServiceAccount", serviceAccount: { namespace: "{{ns}}", name: random.pick(["*", "default"]) } }, user],
  ]);
  const everything = { verbs: ["*"], apiGroups: ["*"], resources: ["*"], namespaces: ["*"], clusterScope: true };
  const rules = [
    { subjects: [user], nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/probe"] }] },
    {
      subjects,
      resourceRules: [{ ...everything, ...random.pick(RESOURCE_RULES) }],
      ...(random.chance(0.5) ? { nonResourceRules: [random.pick(URL_RULES)] } : {}),
    },
  ];
  const spec = {
    priorityLevelConfiguration: { name: ownLevel ? "level-{{seq}}" : random.pick(["workload-low", "exempt"]) },
    matchingPrecedence: random.pick([50, 850, 8000, 9950]),
    rules,
  };
  builder.create(schema, "flow-{{seq}}", { more: { spec } });
  if (spec.matchingPrecedence < 9900) probe(builder, "contains");
}

/** The last step that made or read the schema tells its uid. */
function probe(builder: SequenceBuilder, how: "contains" | "lacks"): void {
  const made = builder.steps.find(({ verb, kind }) => verb === "create" && kind === "FlowSchema");
  const until = made === undefined ? {} : { until: { [how]: `{{${made.id}:metadata.uid}}` } };
  builder.send("GET", "/probe", { verb: "get", headers: OWN, ...until });
}

const RESOURCE_RULES: readonly JsonMap[] = [
  {},
  { verbs: ["get", "list", "watch"] },
  { apiGroups: ["", "coordination.k8s.io"] },
  { resources: ["configmaps", "pods/log", "nodes/status"] },
  { resources: ["configmaps", "pods"], namespaces: ["{{ns}}"] },
  { namespaces: ["{{ns}}"], clusterScope: false },
  { namespaces: [] },
  { verbs: ["create", "deletecollection", "patch"] },
];

const URL_RULES: readonly JsonMap[] = [
  { verbs: ["*"], nonResourceURLs: ["*"] },
  { verbs: ["get"], nonResourceURLs: ["/healthz", "/version"] },
  { verbs: ["get", "delete"], nonResourceURLs: ["/livez/*", "/api"] },
];

const WHO: readonly Pick<StepOptions, "user" | "headers">[] = [
  {},
  { user: "alice" },
  { user: "carol" },
  { user: "anonymous" },
  { headers: OWN },
  { headers: { "impersonate-user": "own-{{seq}}" } },
  { headers: { ...OWN, "impersonate-user": "other-{{seq}}" } },
  { headers: { "impersonate-user": "system:kube-scheduler" } },
  { headers: { "impersonate-user": "system:kube-controller-manager" } },
  { headers: { "impersonate-user": "system:node:n", "impersonate-group": "system:nodes" } },
  { headers: { "impersonate-user": "system:serviceaccount:kube-system:any" } },
  { headers: { "impersonate-user": "system:serviceaccount:{{ns}}:default" } },
  { headers: { "impersonate-user": "system:serviceaccount:{{ns}}:other" } },
  { headers: { "impersonate-user": "somebody", "impersonate-group": "system:masters" } },
  { headers: { "impersonate-user": "system:anonymous" } },
  // Refused before a flow is looked for.
  { user: "alice", headers: { "impersonate-user": "bob" } },
  { headers: { authorization: "Bearer nothing" }, user: "anonymous" },
  { headers: { "impersonate-group": "dev" } },
];

const LEASES = "/apis/coordination.k8s.io/v1/namespaces/{{ns}}/leases";

const REQUESTS: readonly (readonly [string, string])[] = [
  ["GET", "/healthz"],
  ["HEAD", "/livez"],
  ["GET", "/readyz"],
  ["GET", "/livez/ping"],
  ["GET", "/healthz?timeout=never"],
  ["POST", "/healthz"],
  ["GET", "/version"],
  ["GET", "/nothing"],
  ["GET", "/api"],
  ["GET", "/api/v1"],
  ["DELETE", "/api"],
  ["GET", `${LEASES}/none`],
  ["POST", LEASES],
  ["PUT", `${LEASES}/none`],
  ["PATCH", `${LEASES}/none`],
  ["GET", LEASES],
  ["GET", "/api/v1/nodes/none"],
  ["PATCH", "/api/v1/nodes/none/status"],
  ["GET", "/api/v1/nodes/none/proxy/x"],
  ["POST", "/api/v1/nodes"],
  ["GET", "/api/v1/namespaces/{{ns}}"],
  ["GET", "/api/v1/namespaces/{{ns}}/configmaps"],
  ["DELETE", "/api/v1/namespaces/{{ns}}/configmaps"],
  ["GET", "/api/v1/namespaces/{{ns}}/configmaps/none"],
  ["OPTIONS", "/api/v1/namespaces/{{ns}}/configmaps"],
  ["GET", "/api/v1/namespaces/{{ns}}/pods/none/log"],
  ["GET", "/api/v1/namespaces/{{ns}}/pods/none/exec"],
  ["GET", "/api/v1/namespaces/{{ns}}/pods/none/portforward"],
  ["POST", "/api/v1/namespaces/{{ns}}/pods/none/eviction"],
  ["GET", "/api/v1/namespaces/{{ns}}/services/none/proxy/"],
  ["GET", "/api/v1/watch/namespaces/{{ns}}/configmaps?timeoutSeconds=1"],
  ["GET", "/api/v1/namespaces/{{ns}}/nothing"],
  ["GET", "/apis/none.example.com/v1/namespaces/{{ns}}/things"],
  ["POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"],
];

function ask(builder: SequenceBuilder): void {
  const { random } = builder;
  const who = random.pick(WHO);
  const [method, path] = random.pick(REQUESTS);
  if (random.chance(0.1)) {
    builder.watch(configMap, { endsAt: "none" }, { ...who, query: { timeoutSeconds: 1 } });
    return;
  }
  const body = ["POST", "PUT", "PATCH"].includes(method) ? { body: { json: {} } } : {};
  const headers = method === "PATCH" ? { ...who.headers, "content-type": "application/merge-patch+json" } : undefined;
  builder.send(method, path, { ...who, ...body, ...(headers === undefined ? {} : { headers }) });
}
