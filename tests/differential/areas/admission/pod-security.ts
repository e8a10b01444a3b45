// Pod security by the labels of the namespace: every check, in old and new versions of the profiles.
import { builtin, type SequenceBuilder } from "../../generate/builder.ts";
import type { Random } from "../../generate/random.ts";
import type { JsonMap } from "../../step.ts";

const PREFIX = "pod-security.kubernetes.io/";
const pod = builtin("", "Pod");
const namespace = builtin("", "Namespace");
const WORKLOADS = [
  ...["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"].map((kind) => builtin("apps", kind)),
  builtin("batch", "Job"),
  builtin("batch", "CronJob"),
  builtin("", "ReplicationController"),
  builtin("", "PodTemplate"),
];

const VERSIONS = ["latest", "v1.35", "v1.34", "v1.30", "v1.26", "v1.22", "v1.18", "v1.7", "v1.0", "v1.99"];

function labelsOf(random: Random): JsonMap {
  const labels: JsonMap = {};
  for (const mode of ["enforce", "warn", "audit"]) {
    if (random.chance(0.7))
      labels[`${PREFIX}${mode}`] = random.pick(["baseline", "restricted", "restricted", "privileged"]);
    if (random.chance(0.4)) labels[`${PREFIX}${mode}-version`] = random.pick(VERSIONS);
  }
  return labels;
}

const WRONG_LABELS: readonly JsonMap[] = [
  { [`${PREFIX}enforce`]: "strict" },
  { [`${PREFIX}warn`]: "", [`${PREFIX}audit-version`]: "1.20" },
  { [`${PREFIX}enforce`]: "baseline", [`${PREFIX}enforce-version`]: "v2.1" },
];

/** Says all that the strictest profile wants to hear. */
const HARDENED: JsonMap = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  runAsNonRoot: true,
  seccompProfile: { type: "RuntimeDefault" },
};

const CONTAINER_FIELDS: readonly JsonMap[] = [
  {},
  { securityContext: HARDENED },
  { securityContext: HARDENED },
  { securityContext: { privileged: true } },
  { securityContext: { capabilities: { add: ["NET_ADMIN", "SYS_TIME", "CHOWN"] } } },
  { securityContext: { ...HARDENED, capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] } } },
  { securityContext: { ...HARDENED, capabilities: { drop: ["NET_RAW"], add: ["CHOWN"] } } },
  { securityContext: { procMount: "Unmasked" } },
  { securityContext: { seLinuxOptions: { type: "spc_t", user: "u", role: "r" } } },
  { securityContext: { seLinuxOptions: { type: "container_engine_t" } } },
  { securityContext: { seccompProfile: { type: "Unconfined" } } },
  { securityContext: { ...HARDENED, runAsUser: 0 } },
  { securityContext: { runAsNonRoot: false } },
  { securityContext: { appArmorProfile: { type: "Unconfined" } } },
  { ports: [{ containerPort: 80, hostPort: 8080 }] },
  { livenessProbe: { httpGet: { path: "/", port: 80, host: "192.0.2.1" } } },
  { lifecycle: { preStop: { httpGet: { path: "/", port: 80, host: "example.com" } } } },
  { readinessProbe: { tcpSocket: { port: 80, host: "192.0.2.2" } }, securityContext: HARDENED },
];

const POD_FIELDS: readonly JsonMap[] = [
  {},
  {},
  { securityContext: { runAsNonRoot: true, seccompProfile: { type: "Localhost", localhostProfile: "p.json" } } },
  { hostNetwork: true },
  { hostPID: true, hostIPC: true },
  { hostUsers: false },
  { hostUsers: false, securityContext: { runAsUser: 0 } },
  { securityContext: { runAsUser: 0, runAsNonRoot: false } },
  {
    securityContext: {
      sysctls: [
        { name: "net.ipv4.tcp_rmem", value: "1" },
        { name: "kernel.msgmax", value: "1" },
      ],
    },
  },
  { securityContext: { sysctls: [{ name: "net.ipv4.tcp_keepalive_time", value: "1" }] } },
  { securityContext: { seLinuxOptions: { level: "s0", type: "bad_t" } } },
  { securityContext: { seccompProfile: { type: "Unconfined" }, appArmorProfile: { type: "Unconfined" } } },
  {
    volumes: [
      { name: "h", hostPath: { path: "/" } },
      { name: "e", emptyDir: {} },
    ],
  },
  {
    volumes: [
      { name: "n", nfs: { server: "s", path: "/" } },
      { name: "h", hostPath: { path: "/" } },
    ],
  },
];

function subject(random: Random): { metadata: JsonMap; spec: JsonMap } {
  const container = (name: string): JsonMap => ({ name, image: "example.com/app", ...random.pick(CONTAINER_FIELDS) });
  return {
    metadata: { labels: { app: "a" } },
    spec: {
      containers: [container("main"), ...(random.chance(0.3) ? [container("side")] : [])],
      ...(random.chance(0.2) ? { initContainers: [container("init")] } : {}),
      ...random.pick(POD_FIELDS),
    },
  };
}

export function podSecurity(builder: SequenceBuilder): void {
  const { random } = builder;
  if (random.chance(0.1)) refusedNamespace(builder);
  builder.namespace(labelsOf(random));
  const turns = 4 + random.int(8);
  for (let i = 0; i < turns; i++) random.pick([pods, pods, pods, workloads, containers])(builder);
  if (random.chance(0.4)) changed(builder);
}

function refusedNamespace(builder: SequenceBuilder): void {
  const labels = builder.random.pick(WRONG_LABELS);
  const body = { apiVersion: "v1", kind: "Namespace", metadata: { name: "{{ns}}", labels } };
  builder.create(namespace, "", { body: { json: body } });
}

const dry = (random: Random) => (random.chance(0.2) ? { dryRun: "All" } : {});

function pods(builder: SequenceBuilder): void {
  const { random } = builder;
  const { metadata, spec } = subject(random);
  const body = { apiVersion: "v1", kind: "Pod", metadata: { ...metadata, name: builder.name(pod) }, spec };
  builder.create(pod, "", { body: { json: body }, query: dry(random) });
}

function workloads(builder: SequenceBuilder): void {
  const { random } = builder;
  const kind = random.pick(WORKLOADS);
  const name = builder.name(kind);
  const template = subject(random);
  const { metadata: _, ...made } = builder.object(kind, name);
  const more = kind.kind === "PodTemplate" ? { template } : { spec: withTemplate(made["spec"] as JsonMap, template) };
  builder.create(kind, name, { more, query: dry(random) });
}

/** A template must keep its labels and the restart policy that its kind wants. */
function withTemplate(spec: JsonMap, template: JsonMap): JsonMap {
  const jobTemplate = spec["jobTemplate"] as JsonMap | undefined;
  if (jobTemplate !== undefined) {
    return { ...spec, jobTemplate: { ...jobTemplate, spec: withTemplate(jobTemplate["spec"] as JsonMap, template) } };
  }
  const old = spec["template"] as JsonMap;
  const { restartPolicy } = old["spec"] as JsonMap;
  const own = template["spec"] as JsonMap;
  return {
    ...spec,
    template: { ...template, ...old, spec: { ...own, ...(restartPolicy === undefined ? {} : { restartPolicy }) } },
  };
}

function containers(builder: SequenceBuilder): void {
  const { random } = builder;
  const name = builder.name(pod);
  if (random.chance(0.5)) {
    const body = {
      spec: { containers: [{ name: "main", image: random.pick(["example.com/new", "example.com/app"]) }] },
    };
    builder.patch(pod, name, { type: "strategic", body }, { query: dry(random) });
    return;
  }
  const added = {
    name: `debug-${builder.steps.length}`,
    image: "example.com/debug",
    ...random.pick(CONTAINER_FIELDS.slice(0, 6)),
  };
  builder.patch(
    pod,
    name,
    { type: "strategic", body: { spec: { ephemeralContainers: [added] } }, subresource: "ephemeralcontainers" },
    { kindName: "Pod/ephemeralcontainers" },
  );
}

/** New labels: first what they would mean for a pod that is there, then that they count for new ones. */
function changed(builder: SequenceBuilder): void {
  const { random } = builder;
  const off: JsonMap = Object.fromEntries(
    ["enforce", "warn", "audit"].map((mode) => [`${PREFIX}${mode}`, "privileged"]),
  );
  const set = (labels: JsonMap, options = {}) =>
    builder.patch(namespace, "{{ns}}", { type: "merge", body: { metadata: { labels } } }, options);
  builder.send("DELETE", builder.collection(pod), {
    verb: "deletecollection",
    kindName: "Pod",
    query: { gracePeriodSeconds: 0 },
  });
  set(off);
  const bad = { containers: [{ name: "main", image: "x", securityContext: { privileged: true } }] };
  const json = { apiVersion: "v1", kind: "Pod", metadata: { name: "bad" }, spec: bad };
  const waits = { until: { lacks: "PodSecurity" }, verb: "await-labels" };
  builder.create(pod, "bad", { body: { json }, query: { dryRun: "All" }, ...waits });
  builder.create(pod, "bad", { body: { json } });
  const wanted = { [`${PREFIX}enforce`]: "baseline", [`${PREFIX}enforce-version`]: random.pick(["v1.20", "latest"]) };
  set(wanted, { query: { dryRun: "All" }, until: { contains: "existing pods" }, verb: "await-pods" });
  if (random.chance(0.3)) set(random.pick(WRONG_LABELS));
  set(wanted);
  const other = { ...json, metadata: { name: "other" } };
  builder.create(pod, "other", {
    body: { json: other },
    query: { dryRun: "All" },
    until: { status: 403 },
    verb: "await-labels",
  });
  set({ [`${PREFIX}enforce`]: "restricted" });
  set({ [`${PREFIX}enforce`]: "privileged" });
}
