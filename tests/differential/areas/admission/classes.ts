// Classes of priority, runtime and storage, and what they make of pods and claims. None is anybody's default: the
// sequences beside this one would see it.
import { builtin, type SequenceBuilder } from "../../generate/builder.ts";
import type { JsonMap } from "../../step.ts";
import { claimOf } from "./limits.ts";

const priority = builtin("scheduling.k8s.io", "PriorityClass");
const runtime = builtin("node.k8s.io", "RuntimeClass");
const storage = builtin("storage.k8s.io", "StorageClass");
const attributes = builtin("storage.k8s.io", "VolumeAttributesClass");
const pod = builtin("", "Pod");
const claim = builtin("", "PersistentVolumeClaim");
const volume = builtin("", "PersistentVolume");

const NAME = "class-{{seq}}";

export function classes(builder: SequenceBuilder): void {
  builder.namespace();
  builder.random.pick([priorities, runtimes, claims, accounts])(builder);
}

const CONTAINERS = [{ name: "main", image: "example.com/app" }];

function podOf(builder: SequenceBuilder, spec: JsonMap, name = builder.name(pod)): void {
  builder.create(pod, name, { more: { spec: { containers: CONTAINERS, ...spec } } });
}

function priorities(builder: SequenceBuilder): void {
  const { random } = builder;
  builder.create(priority, NAME, {
    more: { value: 1000, ...(random.chance(0.4) ? { preemptionPolicy: "Never" } : {}) },
  });
  const asked = { spec: { containers: CONTAINERS, priorityClassName: NAME } };
  builder.create(pod, "probe", { more: asked, query: { dryRun: "All" }, until: { status: 201 }, verb: "await-class" });
  for (let i = 0; i < 5; i++) {
    podOf(builder, {
      priorityClassName: random.pick([NAME, NAME, "system-cluster-critical", "none-such", ""]),
      ...(random.chance(0.4) ? { priority: random.pick([1000, 7, 0]) } : {}),
      ...(random.chance(0.3) ? { preemptionPolicy: random.pick(["Never", "PreemptLowerPriority"]) } : {}),
    });
  }
  builder.patch(pod, "a", { type: "merge", body: { spec: { priority: null, preemptionPolicy: null } } });
  builder.get(pod, "a");
}

function runtimes(builder: SequenceBuilder): void {
  const { random } = builder;
  builder.create(runtime, NAME, {
    more: {
      handler: "own",
      ...(random.chance(0.6) ? { overhead: { podFixed: { cpu: "0.25", memory: "16Mi" } } } : {}),
      ...(random.chance(0.6)
        ? {
            scheduling: {
              nodeSelector: { disk: "ssd", zone: "a" },
              tolerations: [{ key: "k", operator: "Exists", effect: random.pick(["NoSchedule", "NoExecute"]) }],
            },
          }
        : {}),
    },
  });
  for (let i = 0; i < 6; i++) {
    podOf(builder, {
      ...(random.chance(0.8) ? { runtimeClassName: random.pick([NAME, NAME, NAME, "none-such"]) } : {}),
      ...(random.chance(0.3) ? { overhead: random.pick([{ cpu: "250m", memory: "16Mi" }, { cpu: "1" }]) } : {}),
      ...(random.chance(0.4) ? { nodeSelector: random.pick([{ disk: "ssd" }, { disk: "hdd" }, { other: "x" }]) } : {}),
      ...(random.chance(0.4)
        ? {
            tolerations: random.some([
              { key: "k", operator: "Equal", value: "v", effect: "NoSchedule" },
              { key: "k", operator: "Exists" },
              { operator: "Exists", effect: "NoExecute", tolerationSeconds: 5 },
            ]),
          }
        : {}),
    });
  }
}

function claims(builder: SequenceBuilder): void {
  const { random } = builder;
  const grows = random.chance(0.6);
  builder.create(storage, NAME, {
    more: { provisioner: "example.com/p", ...(grows ? { allowVolumeExpansion: true } : {}) },
  });
  builder.create(claim, "a", { more: claimOf("1Gi", { storageClassName: random.chance(0.8) ? NAME : "none" }) });
  const resize = (size: string, options = {}) => {
    const body = { spec: { resources: { requests: { storage: size } } } };
    return builder.patch(claim, "a", { type: "merge", body }, options);
  };
  const status = { phase: "Bound", capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"] };
  builder.patch(claim, "a", { type: "merge", body: { spec: { volumeName: "pv" } } });
  builder.patch(claim, "a", { type: "merge", body: { status }, subresource: "status" });
  resize("3Gi");
  resize("512Mi");
  const plain: JsonMap = { metadata: { finalizers: ["kubernetes.io/pv-protection"] } };
  builder.create(volume, builder.name(volume), random.chance(0.3) ? { more: plain } : {});
  builder.create(attributes, builder.name(attributes));
  builder.create(claim, "b");
  builder.delete(claim, "b");
  builder.get(claim, "a");
}

const account = builtin("", "ServiceAccount");
const ENFORCED = { metadata: { annotations: { "kubernetes.io/enforce-mountable-secrets": "true" } } };

/** A service account that limits the secrets of its pods; mirror pods. */
function accounts(builder: SequenceBuilder): void {
  const { random } = builder;
  builder.create(account, "own", {
    more: {
      ...(random.chance(0.7) ? ENFORCED : {}),
      secrets: [{ name: "good" }],
      imagePullSecrets: [{ name: "pull" }],
      ...(random.chance(0.4) ? { automountServiceAccountToken: false } : {}),
    },
  });
  for (let i = 0; i < 5; i++) {
    const secret = random.pick(["good", "bad"]);
    const env = random.pick<JsonMap>([
      {},
      { env: [{ name: "S", valueFrom: { secretKeyRef: { name: secret, key: "k" } } }] },
      { envFrom: [{ secretRef: { name: secret } }] },
    ]);
    const spec = {
      serviceAccountName: random.pick(["own", "own", "default", "none-such"]),
      containers: [{ ...CONTAINERS[0], ...env }],
      ...(random.chance(0.2) ? { initContainers: [{ name: "init", image: "x", ...env }] } : {}),
      ...(random.chance(0.3) ? { volumes: [{ name: "v", secret: { secretName: secret } }] } : {}),
      ...(random.chance(0.3) ? { imagePullSecrets: [{ name: random.pick(["pull", "other"]) }] } : {}),
      ...(random.chance(0.2) ? { automountServiceAccountToken: random.chance(0.5) } : {}),
    };
    const mirror = random.chance(0.15) ? { metadata: { annotations: { "kubernetes.io/config.mirror": "x" } } } : {};
    builder.create(pod, builder.name(pod), { more: { ...mirror, spec } });
  }
}
