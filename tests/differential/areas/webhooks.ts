// Admission webhooks: a real HTTPS server answers both API servers alike, by the path of the webhook.
import { apiVersionOf, builtin, type SequenceBuilder } from "../generate/builder.ts";
import type { JsonMap } from "../step.ts";
import type { Area } from "./area.ts";

const BROKEN = [
  "error",
  "no-json",
  "no-verdict",
  "wrong-uid",
  "not-found",
  "unavailable",
  "forbidden",
  "teapot",
  "list",
  "no-kind",
  "no-response",
  "other-kind",
];
const VALIDATING = [
  ...["allow", "warn", "deny", "deny-message", "deny-code", "deny-label", "warn-deny", "echo", "echo"],
  ...["label", "patch-without-type", "type-without-patch"],
  ...BROKEN,
];
/** Of several that refuse, a real server answers for whichever is first. */
const NEVER_REFUSING = ["allow", "warn"];
const MUTATING = [
  ...["label", "annotate", "data", "append", "bad-patch", "bad-object", "deny", "warn", "warn-deny", "allow", "echo"],
  ...["no-such-key", "no-such-test", "no-operation", "no-list", "nothing-to-do", "no-owners", "owners"],
  ...["patch-without-type", "type-without-patch", "other-type", "echo", "label", "annotate", "append"],
  ...BROKEN,
];

const configMap = builtin("", "ConfigMap");
const deployment = builtin("apps", "Deployment");

export const webhooks: Area = {
  name: "webhooks",
  weight: 4,
  held: true,
  make(builder) {
    const { random } = builder;
    builder.namespace();
    const mutating = random.chance(0.5);
    const count = random.chance(0.3) ? 2 : 1;
    const hooks = Array.from({ length: count }, (_, index) => hook(builder, mutating, index));
    const kind = builtin(
      "admissionregistration.k8s.io",
      mutating ? "MutatingWebhookConfiguration" : "ValidatingWebhookConfiguration",
    );
    const body = {
      apiVersion: apiVersionOf(kind),
      kind: kind.kind,
      metadata: { name: "hooks-{{seq}}" },
      webhooks: [...hooks, probe(mutating)],
    };
    const existing = builder.create(configMap, "c");
    builder.create(kind, "", { body: { json: body } });
    // The probe warns about dry runs of one name: once it does, the configuration counts.
    builder.create(configMap, "probe", {
      query: { dryRun: "All" },
      body: { json: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "probe", labels: { probe: "yes" } } } },
      until: { contains: "be careful" },
      verb: "await-webhook",
    });
    const turns = 3 + random.int(6);
    for (let i = 0; i < turns; i++) write(builder, existing);
    builder.list(configMap);
    builder.delete(kind, "hooks-{{seq}}");
  },
};

/** The probe must get through. */
const NOT_PROBE: JsonMap = { matchExpressions: [{ key: "probe", operator: "DoesNotExist" }] };

function hook(builder: SequenceBuilder, mutating: boolean, index: number): JsonMap {
  const { random } = builder;
  const answers = mutating ? MUTATING : index === 0 ? VALIDATING : NEVER_REFUSING;
  return {
    name: `h${index}-{{seq}}.example.com`,
    clientConfig: { url: `{{webhook}}/${random.pick(answers)}`, caBundle: "{{webhookCa}}" },
    admissionReviewVersions: random.pick<string[]>([["v1"], ["v1"], ["v9", "v1", "v1beta1"], ["v1beta1", "v1"]]),
    ...(mutating ? { reinvocationPolicy: random.pick(["Never", "IfNeeded"]) } : {}),
    matchPolicy: random.pick(["Equivalent", "Exact"]),
    sideEffects: random.pick(["None", "None", "NoneOnDryRun"]),
    failurePolicy: random.pick(["Fail", "Fail", "Ignore"]),
    timeoutSeconds: 5,
    namespaceSelector: { matchLabels: { differential: "{{seq}}" } },
    objectSelector: NOT_PROBE,
    ...random.pick<JsonMap>([
      {},
      {},
      { objectSelector: { matchLabels: { app: "a" }, ...NOT_PROBE } },
      { matchConditions: [{ name: "not-c", expression: "object == null || object.metadata.name != 'c'" }] },
      { matchConditions: [{ name: "fails", expression: "object.metadata.annotations['none'] == 'x'" }] },
      {
        matchConditions: [
          { name: "user", expression: "request.userInfo.username == 'admin' && !has(request.subResource)" },
          { name: "labelled", expression: "has(object.metadata.labels) && object.metadata.labels.app == 'a'" },
        ],
      },
    ]),
    rules: [
      {
        apiGroups: ["", "apps"],
        apiVersions: ["*"],
        operations: random.pick<string[]>([["*"], ["CREATE"], ["CREATE", "UPDATE"], ["DELETE"], ["UPDATE"]]),
        resources: random.pick<string[]>([
          ["configmaps", "deployments"],
          ["configmaps"],
          ["*"],
          ["deployments/scale", "deployments", "configmaps"],
        ]),
      },
    ],
  };
}

function probe(mutating: boolean): JsonMap {
  return {
    name: "probe-{{seq}}.example.com",
    clientConfig: { url: "{{webhook}}/warn", caBundle: "{{webhookCa}}" },
    admissionReviewVersions: ["v1"],
    sideEffects: "None",
    failurePolicy: "Fail",
    namespaceSelector: { matchLabels: { differential: "{{seq}}" } },
    objectSelector: { matchLabels: { probe: "yes" } },
    rules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["configmaps"] }],
    ...(mutating ? { reinvocationPolicy: "Never" } : {}),
  };
}

function write(builder: SequenceBuilder, existing: number): void {
  const { random } = builder;
  const kind = random.chance(0.75) ? configMap : deployment;
  const name = builder.name(kind);
  const query = random.chance(0.2) ? { dryRun: "All" } : {};
  const roll = random.int(10);
  if (roll < 4) builder.create(kind, name, { query });
  else if (roll < 6)
    builder.patch(
      kind,
      name,
      { type: "merge", body: { metadata: { labels: { app: random.pick(["a", "b"]) } } } },
      { query },
    );
  else if (roll < 7)
    builder.update(
      configMap,
      "c",
      { of: existing, edit: { metadata: { resourceVersion: null }, data: { put: "1" } } },
      { query },
    );
  else if (roll < 8) {
    const body = {
      apiVersion: apiVersionOf(configMap),
      kind: "ConfigMap",
      metadata: { labels: { app: "a" } },
      data: { applied: "1" },
    };
    builder.patch(configMap, name, { type: "apply", body }, { query: { ...query, fieldManager: "m1" } });
  } else if (roll < 9) builder.delete(kind, name, { query });
  else
    builder.patch(
      deployment,
      name,
      { type: "merge", body: { spec: { replicas: 2 } }, subresource: "scale" },
      { query },
    );
}
