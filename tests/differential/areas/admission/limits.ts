// Limit ranges. Of each bound only one resource, and one range in a namespace: a real server walks them in no order.
import { builtin, type SequenceBuilder } from "../../generate/builder.ts";
import type { JsonMap } from "../../step.ts";

const range = builtin("", "LimitRange");
const pod = builtin("", "Pod");
const claim = builtin("", "PersistentVolumeClaim");

const LIMITS: readonly JsonMap[] = [
  { type: "Container", default: { cpu: "200m", memory: "64Mi" }, defaultRequest: { cpu: "100m", memory: "32Mi" } },
  { type: "Container", default: { cpu: "500m" } },
  { type: "Container", max: { cpu: "1" }, min: { memory: "16Mi" } },
  { type: "Container", max: { memory: "128Mi" } },
  { type: "Container", min: { cpu: "50m" } },
  { type: "Container", maxLimitRequestRatio: { cpu: "4" } },
  { type: "Container", maxLimitRequestRatio: { memory: "1500m" } },
  { type: "Pod", max: { cpu: "2" } },
  { type: "Pod", min: { memory: "100Mi" }, max: { memory: "1Gi" } },
  { type: "Pod", maxLimitRequestRatio: { cpu: "2" } },
  { type: "PersistentVolumeClaim", min: { storage: "1Gi" }, max: { storage: "5Gi" } },
  { type: "PersistentVolumeClaim", max: { storage: "1500Mi" } },
];

export const RESOURCES: readonly JsonMap[] = [
  {},
  {},
  { requests: { cpu: "100m" } },
  { requests: { cpu: "0.25", memory: "20Mi" }, limits: { cpu: "1", memory: "40Mi" } },
  { limits: { cpu: "1500m" } },
  { limits: { memory: "129Mi" } },
  { requests: { memory: "200Mi" }, limits: { memory: "300Mi" } },
  { requests: { cpu: "10m" }, limits: { cpu: "50m", memory: "1e6" } },
  { requests: { cpu: "0" }, limits: { cpu: "1" } },
  { requests: { "ephemeral-storage": "1Gi" } },
  { requests: { "example.com/gpu": "1" }, limits: { "example.com/gpu": "1" } },
  { requests: { cpu: "900m", memory: "2Gi" }, limits: { cpu: "900m", memory: "2Gi" } },
];

export function podWith(builder: SequenceBuilder, spec: JsonMap = {}): JsonMap {
  const { random } = builder;
  const container = (name: string): JsonMap => {
    const resources = random.pick(RESOURCES);
    return { name, image: "example.com/app", ...(Object.keys(resources).length > 0 ? { resources } : {}) };
  };
  const init = random.chance(0.25)
    ? [{ ...container("init"), ...(random.chance(0.5) ? { restartPolicy: "Always" } : {}) }]
    : [];
  return {
    spec: {
      containers: [container("main"), ...(random.chance(0.3) ? [container("side")] : [])],
      ...(init.length > 0 ? { initContainers: init } : {}),
      ...spec,
    },
  };
}

export function limits(builder: SequenceBuilder): void {
  const { random } = builder;
  builder.namespace();
  const chosen = Array.from({ length: 1 + random.int(3) }, () => random.pick(LIMITS));
  builder.create(range, "range", { more: { spec: { limits: chosen } } });
  const turns = 4 + random.int(6);
  for (let i = 0; i < turns; i++) {
    const query = random.chance(0.2) ? { dryRun: "All" } : {};
    const name = builder.name(pod);
    const roll = random.int(10);
    if (roll < 6) builder.create(pod, name, { more: podWith(builder), query });
    else if (roll < 7) {
      const body = { spec: { containers: [{ name: "main", resources: random.pick(RESOURCES) }] } };
      builder.patch(pod, name, { type: "strategic", body, subresource: "resize" }, { kindName: "Pod/resize", query });
    } else if (roll < 9)
      builder.create(claim, name, { more: claimOf(random.pick(["500Mi", "1Gi", "2Gi", "6Gi"])), query });
    else builder.patch(pod, name, { type: "merge", body: { metadata: { labels: { changed: "yes" } } } });
  }
  builder.get(pod, "a");
}

export const claimOf = (storage: string, more: JsonMap = {}): JsonMap => ({
  spec: { accessModes: ["ReadWriteOnce"], storageClassName: "none", resources: { requests: { storage } }, ...more },
});
