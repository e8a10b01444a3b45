// ValidatingAdmissionPolicies and their bindings: variables, parameters, conditions, messages, actions.
import { builtin, type SequenceBuilder } from "../../generate/builder.ts";
import type { Random } from "../../generate/random.ts";
import type { Json, JsonMap } from "../../step.ts";

const policy = builtin("admissionregistration.k8s.io", "ValidatingAdmissionPolicy");
const binding = builtin("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding");
const configMap = builtin("", "ConfigMap");
const deployment = builtin("apps", "Deployment");

const OWN: JsonMap = { namespaceSelector: { matchLabels: { differential: "{{seq}}" } } };

export function policies(builder: SequenceBuilder): void {
  const { random } = builder;
  builder.namespace({ team: random.pick(["x", "y"]) });
  const params = random.chance(0.4);
  if (params) parameters(builder);
  const existing = builder.create(configMap, "c");
  builder.create(policy, "p-{{seq}}", { more: { spec: policySpec(random, params) } });
  builder.create(binding, "b-{{seq}}", { more: { spec: bindingSpec(random, params) } });
  probe(builder, params);
  const turns = 4 + random.int(6);
  for (let i = 0; i < turns; i++) write(builder, existing);
  builder.get(policy, "p-{{seq}}");
  builder.delete(policy, "p-{{seq}}");
  builder.delete(binding, "b-{{seq}}");
  // A real server never looks for parameters of a kind again once nothing in force has named the kind: the probe stays.
  if (params) return;
  builder.delete(policy, "z-{{seq}}");
  builder.delete(binding, "z-{{seq}}");
}

/** Made last: once it refuses, the ones before it count, and the parameters are known. */
function probe(builder: SequenceBuilder, params: boolean): void {
  const resourceRules = [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["podtemplates"] }];
  const validations = [{ expression: "false", message: "the probe is seen" }];
  const kind = params ? { paramKind: { apiVersion: "v1", kind: "ConfigMap" } } : {};
  const ref = { name: "other", namespace: "{{ns}}", parameterNotFoundAction: "Allow" };
  const spec = { ...kind, matchConstraints: { ...OWN, resourceRules }, validations };
  builder.create(policy, "z-{{seq}}", { more: { spec } });
  const bound = { policyName: "z-{{seq}}", validationActions: ["Deny"], ...(params ? { paramRef: ref } : {}) };
  builder.create(binding, "z-{{seq}}", { more: { spec: bound } });
  builder.create(builtin("", "PodTemplate"), "probe", {
    query: { dryRun: "All" },
    until: { contains: "the probe is seen" },
    verb: "await-policy",
  });
}

function parameters(builder: SequenceBuilder): void {
  // Of several that a selector finds, a real server takes any first.
  for (const [name, most, param] of [
    ["limit", "2", "no"],
    ["other", "9", "yes"],
  ] as const) {
    const json = { apiVersion: "v1", kind: "ConfigMap", metadata: { name, labels: { param } }, data: { most } };
    builder.create(configMap, name, { body: { json } });
  }
}

const VALIDATIONS: readonly JsonMap[] = [
  { expression: "object.metadata.name != 'a'", message: "not a" },
  { expression: "!has(object.data) || object.data.all(k, object.data[k] != 'two')", reason: "Forbidden" },
  {
    expression: "object.metadata.name.size() < 2",
    messageExpression: "'name ' + object.metadata.name + ' is too long'",
  },
  { expression: "has(object.metadata.labels) && 'app' in object.metadata.labels", message: "wants a label" },
  { expression: "object.data.key == 'one'", message: "wants one" },
  { expression: "request.operation != 'UPDATE' || oldObject.metadata.name != 'b'", reason: "Invalid" },
  { expression: "request.userInfo.username == 'admin' && request.namespace == namespaceObject.metadata.name" },
  { expression: "namespaceObject.metadata.labels.team == 'x'", message: "team x only" },
  { expression: "object.spec.replicas <= 2", messageExpression: "string(object.spec.replicas) + ' replicas'" },
  { expression: "request.dryRun", reason: "RequestEntityTooLarge", message: "dry runs only" },
  { expression: "object.metadata.labels['app'].matches('^[a]$')", messageExpression: "object.metadata.labels['no']" },
  { expression: "object.metadata.name.lowerAscii() == object.metadata.name.replace('b', 'x')" },
  { expression: "false", messageExpression: "''", message: "  trimmed  " },
  { expression: "authorizer.group('').resource('configmaps').namespace(request.namespace).check('get').allowed()" },
];

const WITH_VARIABLES: readonly JsonMap[] = [
  { expression: "variables.short", message: "too long" },
  { expression: "variables.count <= 1", messageExpression: "'has ' + string(variables.count) + ' keys'" },
  { expression: "variables.broken == 1", message: "never shown" },
];

const VARIABLES: JsonMap[] = [
  { name: "short", expression: "object.metadata.name.size() < 3" },
  { name: "count", expression: "has(object.data) ? size(object.data) : 0" },
  { name: "broken", expression: "object.metadata.missing.deep" },
];

const WITH_PARAMS: readonly JsonMap[] = [
  {
    expression: "int(params.data.most) > object.metadata.name.size()",
    messageExpression: "'most ' + params.data.most",
  },
  { expression: "params == null || params.data.most != '9'", message: "not nine" },
  { expression: "params.metadata.name != 'other'", reason: "Forbidden" },
];

const CONDITIONS: readonly Json[][] = [
  [],
  [],
  [{ name: "not-c", expression: "object == null || object.metadata.name != 'c'" }],
  [{ name: "breaks", expression: "object.metadata.labels.app == 'a'" }],
  [
    { name: "one", expression: "request.resource.resource == 'configmaps'" },
    { name: "two", expression: "request.operation == 'CREATE'" },
  ],
];

const ANNOTATIONS: readonly Json[][] = [
  [],
  [],
  [{ key: "seen", valueExpression: "'name ' + object.metadata.name" }],
  [{ key: "breaks", valueExpression: "object.data.none" }],
  [{ key: "empty", valueExpression: "object.metadata.name == 'a' ? 'x' : null" }],
];

function policySpec(random: Random, params: boolean): JsonMap {
  const validations = [
    ...(params ? [random.pick(WITH_PARAMS)] : []),
    ...(random.chance(0.4) ? [random.pick(WITH_VARIABLES)] : []),
    random.pick(VALIDATIONS),
    ...(random.chance(0.4) ? [random.pick(VALIDATIONS)] : []),
  ];
  const matchConditions = random.pick(CONDITIONS);
  const auditAnnotations = random.pick(ANNOTATIONS);
  return {
    failurePolicy: random.pick(["Fail", "Fail", "Ignore"]),
    ...(params ? { paramKind: { apiVersion: "v1", kind: "ConfigMap" } } : {}),
    matchConstraints: {
      ...OWN,
      resourceRules: [
        {
          apiGroups: ["", "apps"],
          apiVersions: ["*"],
          operations: random.pick<string[]>([["*"], ["CREATE"], ["CREATE", "UPDATE"], ["DELETE"]]),
          resources: random.pick<string[]>([
            ["configmaps", "deployments"],
            ["configmaps"],
            ["deployments", "deployments/scale", "configmaps"],
          ]),
        },
      ],
      ...(random.chance(0.1)
        ? { excludeResourceRules: [{ apiGroups: ["apps"], apiVersions: ["*"], operations: ["*"], resources: ["*"] }] }
        : {}),
      ...(random.chance(0.15) ? { objectSelector: { matchLabels: { app: "a" } } } : {}),
    },
    variables: VARIABLES,
    validations,
    ...(matchConditions.length > 0 ? { matchConditions } : {}),
    ...(auditAnnotations.length > 0 ? { auditAnnotations } : {}),
  };
}

function bindingSpec(random: Random, params: boolean): JsonMap {
  const paramRef = random.pick<JsonMap>([
    { name: "limit", namespace: "{{ns}}", parameterNotFoundAction: "Deny" },
    { name: "limit", parameterNotFoundAction: "Allow" },
    { name: "none", parameterNotFoundAction: "Deny" },
    { name: "none", parameterNotFoundAction: "Allow" },
    { selector: { matchLabels: { param: "yes" } }, parameterNotFoundAction: "Deny" },
  ]);
  return {
    policyName: "p-{{seq}}",
    validationActions: random.pick<string[]>([
      ["Deny"],
      ["Deny"],
      ["Warn"],
      ["Audit"],
      ["Warn", "Audit"],
      ["Deny", "Audit"],
    ]),
    ...(params && random.chance(0.9) ? { paramRef } : {}),
    ...(random.chance(0.2)
      ? { matchResources: { objectSelector: { matchExpressions: [{ key: "tier", operator: "Exists" }] } } }
      : {}),
  };
}

function write(builder: SequenceBuilder, existing: number): void {
  const { random } = builder;
  const kind = random.chance(0.7) ? configMap : deployment;
  const name = builder.name(kind);
  const query = random.chance(0.2) ? { dryRun: "All" } : {};
  const roll = random.int(10);
  if (roll < 5) builder.create(kind, name, { query });
  else if (roll < 7) {
    const body = { metadata: { labels: { app: random.pick(["a", "b"]) } } };
    builder.patch(kind, name, { type: "merge", body }, { query });
  } else if (roll < 8) {
    const edit = { metadata: { resourceVersion: null }, data: { put: "1" } };
    builder.update(configMap, "c", { of: existing, edit }, { query });
  } else if (roll < 9) builder.delete(kind, name, { query });
  else
    builder.patch(
      deployment,
      name,
      { type: "merge", body: { spec: { replicas: 5 } }, subresource: "scale" },
      { query },
    );
}
