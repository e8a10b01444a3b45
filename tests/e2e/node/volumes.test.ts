// Volumes that outlive their pods: made for a claim by the default class, made by hand, and made for one pod alone.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "#base/until";
import { bootPlayground, type TestPlayground, whyNoPlayground } from "../../kit/playground.ts";

const WAIT_MS = 60_000;
/** Real nodes have the volumes that their own provisioners make. */
const realNodes = process.env["ISTHMUS_NODES"] === "kubelet";

const TOPOLOGY = `clusters:
  - { name: cluster1, network: network1, podCIDR: 10.244.0.0/16, serviceCIDR: 10.96.0.0/16, region: r, zone: z }
`;

const claimSpec = (more: object = {}) => ({
  accessModes: ["ReadWriteOnce"],
  resources: { requests: { storage: "1Gi" } },
  ...more,
});

const podSpec = (script: string, volumeMounts: readonly object[], more: object = {}) => ({
  terminationGracePeriodSeconds: 1,
  containers: [
    {
      name: "c",
      image: "curlimages/curl:latest",
      imagePullPolicy: "IfNotPresent",
      command: ["sh", "-c", `${script}; exec sleep 1000`],
      volumeMounts,
    },
  ],
  ...more,
});

const DATABASE = {
  apiVersion: "apps/v1",
  kind: "StatefulSet",
  metadata: { name: "db" },
  spec: {
    serviceName: "db",
    selector: { matchLabels: { app: "db" } },
    template: {
      metadata: { labels: { app: "db" } },
      // Not root: whoever runs a container may write.
      spec: podSpec("echo start >> /data/log", [{ name: "data", mountPath: "/data" }], {
        securityContext: { runAsUser: 1000 },
      }),
    },
    volumeClaimTemplates: [{ metadata: { name: "data" }, spec: claimSpec() }],
  },
};

describe.skipIf(whyNoPlayground() !== undefined || realNodes)("volumes", () => {
  let folder: string;
  let playground: TestPlayground;
  const kubectl = (words: string, input = "") =>
    playground.ok("kubectl", ["--context", "cluster1", ...words.split(" ")], { input, timeoutMs: WAIT_MS });
  const apply = (...items: readonly object[]) =>
    kubectl("apply -f -", JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  const reaches = (what: string, path: string, value: string) =>
    until(async () => (await kubectl(`get ${what} --ignore-not-found -o jsonpath={${path}}`)) === value, {
      reason: `${what} ${path} is ${value}`,
      timeoutMs: WAIT_MS,
      intervalMs: 200,
    });

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "isthmus-volumes-"));
    const topology = join(folder, "topology.yaml");
    writeFileSync(topology, TOPOLOGY);
    playground = await bootPlayground({ flags: ["--no-common-root", "--topology", topology] });
  }, 180_000);
  afterAll(async () => {
    await playground?.down();
    rmSync(folder, { recursive: true, force: true });
  });

  test("what a StatefulSet has written is there for its next pod, and goes with the claim", async () => {
    await reaches("storageclass/standard", ".volumeBindingMode", "WaitForFirstConsumer");
    await apply(DATABASE);
    await reaches("statefulset/db", ".status.readyReplicas", "1");
    const uid = await kubectl("get pod db-0 -o jsonpath={.metadata.uid}");
    await kubectl("delete pod db-0");
    const another = async () =>
      ![uid, ""].includes(await kubectl("get pod db-0 --ignore-not-found -o jsonpath={.metadata.uid}"));
    await until(another, { reason: "another pod db-0", timeoutMs: WAIT_MS, intervalMs: 200 });
    await kubectl("wait --for=condition=Ready pod/db-0 --timeout=60s");
    const log = async () => (await kubectl("exec db-0 -- cat /data/log")) === "start\nstart\n";
    await until(log, { reason: "both pods have written", timeoutMs: WAIT_MS, intervalMs: 200 });

    const volume = await kubectl("get pvc data-db-0 -o jsonpath={.spec.volumeName}");
    const path = await kubectl(`get pv ${volume} -o jsonpath={.spec.hostPath.path}`);
    expect(readFileSync(join(path, "log"), "utf8")).toBe("start\nstart\n");
    await kubectl("delete statefulset db");
    await kubectl("delete pvc data-db-0");
    await kubectl(`wait --for=delete pv/${volume} --timeout=60s`);
    expect(existsSync(path)).toBe(false);
  }, 180_000);

  test("a volume made by hand is bound by its class, kept after its claim, and read-only where the pod says so", async () => {
    const hostPath = { path: join(folder, "by-hand") };
    const spec = { capacity: { storage: "2Gi" }, accessModes: ["ReadWriteOnce"], storageClassName: "manual", hostPath };
    const pod = (name: string, script: string, readOnly: boolean) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name },
      spec: podSpec(script, [{ name: "v", mountPath: "/v", subPath: "deep/er" }], {
        volumes: [{ name: "v", persistentVolumeClaim: { claimName: "manual", readOnly } }],
      }),
    });
    await apply(
      { apiVersion: "v1", kind: "PersistentVolume", metadata: { name: "by-hand" }, spec },
      {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: { name: "manual" },
        spec: claimSpec({ storageClassName: "manual" }),
      },
      pod("writer", "echo written > /v/file", false),
    );
    await kubectl("wait --for=condition=Ready pod/writer --timeout=60s");
    const written = () => existsSync(join(hostPath.path, "deep/er/file"));
    await until(written, { reason: "the pod has written", timeoutMs: WAIT_MS, intervalMs: 100 });
    await apply(pod("reader", "cat /v/file; (echo more > /v/file) 2>/dev/null || echo refused", true));
    const refused = async () => (await kubectl("logs reader").catch(() => "")) === "written\nrefused\n";
    await until(refused, { reason: "the pod cannot write", timeoutMs: WAIT_MS, intervalMs: 200 });
    await kubectl("delete pod writer reader");
    await kubectl("delete pvc manual");
    await reaches("pv/by-hand", ".status.phase", "Released");
    expect(written()).toBe(true);
  }, 180_000);

  test("a volume of one pod alone goes with it; a pod says what it waits for", async () => {
    const volumes = [{ name: "own", ephemeral: { volumeClaimTemplate: { spec: claimSpec() } } }];
    const mounts = [{ name: "own", mountPath: "/own" }];
    const nodeName = await kubectl("get nodes -o jsonpath={.items[0].metadata.name}");
    const waits = podSpec(":", [{ name: "v", mountPath: "/v" }], {
      nodeName,
      volumes: [{ name: "v", persistentVolumeClaim: { claimName: "nowhere" } }],
    });
    await apply(
      {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "alone" },
        spec: podSpec("date > /own/file", mounts, { volumes }),
      },
      { apiVersion: "v1", kind: "Pod", metadata: { name: "waits" }, spec: waits },
    );
    await kubectl("wait --for=condition=Ready pod/alone --timeout=60s");
    await reaches("pvc/alone-own", ".status.phase", "Bound");
    await kubectl("delete pod alone");
    await kubectl("wait --for=delete pvc/alone-own --timeout=60s");
    const told = () => kubectl("get events --field-selector reason=FailedMount -o jsonpath={.items[*].message}");
    await until(async () => (await told()).includes("error processing PVC default/nowhere: failed to fetch PVC"), {
      reason: "the node tells of the claim",
      timeoutMs: WAIT_MS,
      intervalMs: 200,
    });
  }, 180_000);
});
