// The doors beside the object: scale, binding, eviction, ephemeral containers, resize, approval, finalize.
import { builtin, type SequenceBuilder } from "../generate/builder.ts";
import type { Json, JsonMap } from "../step.ts";
import type { Area } from "./area.ts";

const pod = builtin("", "Pod");
const pdb = builtin("policy", "PodDisruptionBudget");
const csr = builtin("certificates.k8s.io", "CertificateSigningRequest");

export const subresources: Area = {
  name: "subresources",
  weight: 7,
  held: true,
  make(builder) {
    builder.namespace();
    builder.random.pick([scale, scale, pods, pods, approvals])(builder);
  },
};

const SCALES: readonly Json[] = [
  { spec: { replicas: 2 } },
  { spec: { replicas: 0 } },
  { spec: { replicas: -1 } },
  { spec: { replicas: "x" } },
  { spec: {} },
  { metadata: { name: "other" }, spec: { replicas: 1 } },
  { metadata: { resourceVersion: "1" }, spec: { replicas: 1 } },
];

function scale(builder: SequenceBuilder): void {
  const { random } = builder;
  const kind = random.pick([
    builtin("apps", "Deployment"),
    builtin("apps", "ReplicaSet"),
    builtin("apps", "StatefulSet"),
    builtin("", "ReplicationController"),
  ]);
  const named = { kindName: `${kind.kind}/scale` };
  const made = builder.create(kind, "a");
  const turns = 3 + random.int(5);
  for (let i = 0; i < turns; i++) {
    const roll = random.int(10);
    const query = {
      fieldManager: random.pick(["m1", "m2", undefined]),
      dryRun: random.chance(0.1) ? "All" : undefined,
    };
    if (roll < 3) builder.get(kind, `a/scale`, named);
    else if (roll < 5) {
      const read = builder.get(kind, "a/scale", named);
      builder.update(kind, "a/scale", { of: read, edit: random.pick(SCALES) as JsonMap }, { ...named, query });
    } else if (roll < 8) {
      const type = random.pick(["merge", "json", "apply", "strategic"] as const);
      const change = random.pick(SCALES) as JsonMap;
      const body =
        type === "json"
          ? [{ op: "replace", path: "/spec/replicas", value: random.pick([1, 4, -2]) }]
          : type === "apply"
            ? { apiVersion: "autoscaling/v1", kind: "Scale", ...change }
            : change;
      builder.patch(kind, "a", { type, body, subresource: "scale" }, { ...named, query });
    } else if (roll < 9) builder.send("DELETE", builder.at(kind, "a", "scale"), { verb: "delete", ...named });
    else builder.patch(kind, "a", { type: "merge", body: { spec: { replicas: 5 } } });
  }
  builder.get(kind, `{{${made}:metadata.name}}`);
}

function pods(builder: SequenceBuilder): void {
  const { random } = builder;
  const name = "a";
  if (random.chance(0.4)) builder.create(pdb, "a");
  let last = builder.create(pod, name);
  const turns = 3 + random.int(6);
  for (let i = 0; i < turns; i++) last = random.pick(POD_TURNS)(builder, name, last) ?? last;
  builder.get(pod, name);
}

type PodTurn = (builder: SequenceBuilder, name: string, last: number) => number | undefined;

const POD_TURNS: readonly PodTurn[] = [
  function bind(builder, name) {
    const { random } = builder;
    const target = random.pick<JsonMap>([
      { kind: "Node", name: "n1" },
      { kind: "Node", name: "" },
      { kind: "Pod", name: "x" },
      { name: "n2" },
    ]);
    const body = { apiVersion: "v1", kind: "Binding", metadata: { name: random.pick([name, name, "other"]) }, target };
    const options = { verb: "create", kindName: "Pod/binding", body: { json: body } };
    if (random.chance(0.8)) builder.send("POST", builder.at(pod, name, "binding"), options);
    else builder.send("POST", "/api/v1/namespaces/{{ns}}/bindings", options);
    return undefined;
  },
  function evict(builder, name) {
    const { random } = builder;
    const deleteOptions = random.pick<Json>([
      null,
      { gracePeriodSeconds: 0 },
      { dryRun: ["All"] },
      { preconditions: { uid: "44444444-4444-4444-4444-444444444444" } },
    ]);
    const body = {
      apiVersion: random.pick(["policy/v1", "policy/v1", "policy/v1beta1"]),
      kind: "Eviction",
      metadata: { name: random.pick([name, name, "other"]) },
      ...(deleteOptions === null ? {} : { deleteOptions }),
    };
    builder.send("POST", builder.at(pod, name, "eviction"), {
      verb: "create",
      kindName: "Pod/eviction",
      body: { json: body },
    });
    return undefined;
  },
  function debug(builder, name, last) {
    const { random } = builder;
    const container = {
      name: random.pick(["debug", "main", "debug2"]),
      image: "example.com/debug",
      ...(random.chance(0.3) ? { targetContainerName: "main" } : {}),
    };
    const named = { kindName: "Pod/ephemeralcontainers" };
    if (random.chance(0.6))
      builder.patch(
        pod,
        name,
        { type: "strategic", body: { spec: { ephemeralContainers: [container] } }, subresource: "ephemeralcontainers" },
        named,
      );
    else
      builder.send("PUT", builder.at(pod, name, "ephemeralcontainers"), {
        verb: "update",
        ...named,
        body: { copyOf: last, edit: { spec: { ephemeralContainers: [container] } } },
      });
    return undefined;
  },
  function resize(builder, name) {
    const { random } = builder;
    const body = {
      spec: {
        containers: [
          {
            name: "main",
            resources: random.pick<JsonMap>([
              { requests: { cpu: "150m" } },
              { limits: { cpu: "2" } },
              { requests: { memory: "70Mi" } },
            ]),
          },
        ],
      },
    };
    builder.patch(pod, name, { type: "strategic", body, subresource: "resize" }, { kindName: "Pod/resize" });
    return undefined;
  },
  function status(builder, name) {
    const body = builder.random.pick(pod.template.status ?? [{}]);
    builder.patch(pod, name, { type: "strategic", body, subresource: "status" }, { kindName: "Pod/status" });
    return undefined;
  },
  (builder, name) => builder.get(pod, name),
  function removed(builder, name) {
    builder.delete(pod, name, {
      query: builder.random.pick([{}, { gracePeriodSeconds: 0 }, { gracePeriodSeconds: 3 }]),
    });
    return undefined;
  },
  function gates(builder, name) {
    builder.patch(pod, name, { type: "merge", body: { spec: { schedulingGates: [] } } });
    return undefined;
  },
  (builder, name) => builder.create(pod, name),
];

function approvals(builder: SequenceBuilder): void {
  const { random } = builder;
  const name = "a-{{seq}}";
  const user = random.pick(["admin", "alice"]);
  builder.create(csr, name, { user });
  const turns = 3 + random.int(4);
  // Each turn says something new: within a second the same again would be no change, by chance.
  for (let i = 0; i < turns; i++) {
    const read = builder.get(csr, name);
    const condition = random.pick<JsonMap>([
      { type: "Approved", status: "True", reason: "Fine", message: `ok ${i}` },
      { type: "Denied", status: "True", message: `no ${i}` },
      { type: "Failed", status: "True", message: `failed ${i}` },
      { type: "Approved", status: "False" },
      { type: "Own", status: "True", message: `own ${i}` },
    ]);
    const door = random.pick(["approval", "approval", "status"]);
    builder.send("PUT", builder.at(csr, name, door), {
      verb: "update",
      kindName: `CertificateSigningRequest/${door}`,
      body: { copyOf: read, edit: { status: { conditions: [condition] } } },
    });
  }
  builder.get(csr, name);
}
