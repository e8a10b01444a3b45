import { describe, expect, it } from "vitest";
import type { Pod, StatefulSet, StatefulSetSpec, StatefulSetStatus } from "#api/kubernetes/gen/types";
import { ManualClock } from "../../../../tests/kit/manual-clock.ts";
import { buildPod, claimsOf, countPods, ordinalOf, REVISION_HASH } from "./stateful-pods.ts";
import { createStatefulSteps } from "./stateful-steps.ts";

const clock = new ManualClock();
const template = { metadata: { labels: { app: "db" } }, spec: { containers: [{ name: "c", image: "db:1" }] } };
const set = (spec: Partial<StatefulSetSpec> = {}, status: Partial<StatefulSetStatus> = {}): StatefulSet => ({
  metadata: { namespace: "sample", name: "db", uid: "uid-db", generation: 3 },
  spec: { replicas: 3, selector: { matchLabels: { app: "db" } }, template, serviceName: "db", ...spec },
  status: { replicas: 0, ...status },
});
const templates = (current: string, update: string) => ({
  current: { revision: current, template },
  update: { revision: update, template },
});

type State = "ready" | "unready" | "failed" | "going" | "pending";
const STATUS: Readonly<Record<State, NonNullable<Pod["status"]>>> = {
  ready: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
  unready: { phase: "Running", conditions: [{ type: "Ready", status: "False" }] },
  failed: { phase: "Failed" },
  going: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
  pending: { phase: "Pending" },
};
/** `0:ready@a`: number, state, revision (a when not told). */
const podsOf = (...texts: string[]): Pod[] =>
  texts.map((text) => {
    const [, ordinal = "", state = "", revision = "a"] = /^(\d+):(\w+)(?:@(\w+))?$/.exec(text) ?? [];
    return {
      metadata: {
        namespace: "sample",
        name: `db-${ordinal}`,
        labels: { [REVISION_HASH]: revision },
        ...(state === "going" ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
      },
      status: STATUS[state as State],
    };
  });

/** What one look does to the pods: `+1` makes, `-1` ends. */
async function look(
  wanted: StatefulSet,
  pods: readonly Pod[],
  revisions: [string, string] = ["a", "a"],
): Promise<string[]> {
  const done: string[] = [];
  const note = (sign: string) => async (_: StatefulSet, pod: Pod) => {
    done.push(`${sign}${ordinalOf(wanted, pod.metadata?.name ?? "")}`);
  };
  const nothing = async () => {};
  const control = {
    create: note("+"),
    remove: note("-"),
    adopt: async (_: StatefulSet, pod: Pod) => pod,
    createClaims: nothing,
    ownClaims: nothing,
  };
  await createStatefulSteps({ clock }, control)(wanted, pods, templates(...revisions));
  return done;
}

describe("pods in order", () => {
  it.each<[string, string[], string[]]>([
    ["begin with the first", [], ["+0"]],
    ["wait for the one before", ["0:unready"], []],
    ["go on when the one before is ready", ["0:ready"], ["+1"]],
    ["fill a gap before anything beyond it", ["0:ready", "2:ready"], ["+1"]],
    ["replace a failed one, which goes first", ["0:failed", "1:ready"], ["-0"]],
    ["wait until a pod that is going is gone", ["0:going", "1:ready"], []],
    ["are settled", ["0:ready", "1:ready", "2:ready"], []],
    ["end from the highest number on", ["0:ready", "1:ready", "2:ready", "3:ready", "4:ready"], ["-4"]],
    ["end no further one while one is going", ["0:ready", "1:ready", "2:ready", "3:ready", "4:going"], []],
    ["end no healthy one above a sick one that stays", ["0:ready", "1:unready", "2:ready", "3:ready"], []],
    ["end the one that is sick itself", ["0:ready", "1:ready", "2:ready", "3:unready"], ["-3"]],
  ])("%s", async (_, pods, done) => {
    expect(await look(set(), podsOf(...pods))).toEqual(done);
  });

  it("begin with the number that the set begins with", async () => {
    const wanted = set({ replicas: 2, ordinals: { start: 5 } });
    expect(await look(wanted, [])).toEqual(["+5"]);
    expect(await look(wanted, podsOf("5:ready", "6:ready", "0:ready"))).toEqual(["-0"]);
  });

  it("wait until the one before has been ready for so long", async () => {
    const [first] = podsOf("0:ready");
    const conditions = [{ type: "Ready", status: "True", lastTransitionTime: new Date(clock.now()).toISOString() }];
    const pod = { ...first, status: { phase: "Running", conditions } };
    expect(await look(set({ minReadySeconds: 10 }), [pod])).toEqual([]);
    expect(await look(set({ minReadySeconds: 0 }), [pod])).toEqual(["+1"]);
  });
});

describe("pods side by side", () => {
  const parallel = set({ podManagementPolicy: "Parallel" });
  it.each<[string, string[], string[]]>([
    ["are all made at once", [], ["+0", "+1", "+2"]],
    ["do not wait for each other", ["0:unready"], ["+1", "+2"]],
    ["all go at once", ["0:ready", "1:ready", "2:ready", "3:ready", "4:unready"], ["-4", "-3"]],
    ["replace failed ones while others are made", ["1:failed"], ["+0", "-1", "+2"]],
  ])("%s", async (_, pods, done) => {
    expect((await look(parallel, podsOf(...pods))).sort()).toEqual([...done].sort());
  });
});

describe("a new template", () => {
  const rolling = (partition?: number) =>
    set({
      updateStrategy: { type: "RollingUpdate", ...(partition === undefined ? {} : { rollingUpdate: { partition } }) },
    });
  it.each<[string, StatefulSet, string[], string[]]>([
    ["replaces the highest number first", rolling(), ["0:ready", "1:ready", "2:ready"], ["-2"]],
    ["goes on when that is ready", rolling(), ["0:ready", "1:ready", "2:ready@b"], ["-1"]],
    ["waits while a new one is not ready", rolling(), ["0:ready", "1:ready", "2:unready@b"], []],
    ["leaves those below the partition", rolling(2), ["0:ready", "1:ready", "2:ready@b"], []],
    ["is through", rolling(), ["0:ready@b", "1:ready@b", "2:ready@b"], []],
    ["waits for people", set({ updateStrategy: { type: "OnDelete" } }), ["0:ready", "1:ready", "2:ready"], []],
  ])("%s", async (_, wanted, pods, done) => {
    expect(await look(wanted, podsOf(...pods), ["a", "b"])).toEqual(done);
  });

  it("is that of pods from the partition on", () => {
    const revisionOf = (wanted: StatefulSet, ordinal: number) =>
      buildPod(wanted, templates("a", "b"), ordinal).metadata?.labels?.[REVISION_HASH];
    expect([0, 1, 2].map((ordinal) => revisionOf(rolling(1), ordinal))).toEqual(["a", "b", "b"]);
    const begun = { ...rolling(), status: { replicas: 3, currentReplicas: 2 } };
    expect([0, 1, 2].map((ordinal) => revisionOf(begun, ordinal))).toEqual(["a", "a", "b"]);
  });

  it("becomes the current one when every pod has it and is ready", () => {
    const count = (...pods: string[]) =>
      countPods(rolling(), podsOf(...pods), { current: "a", update: "b" }, clock.now());
    expect(count("0:ready@b", "1:ready@b", "2:ready")).toMatchObject({
      currentRevision: "a",
      updateRevision: "b",
      currentReplicas: 1,
      updatedReplicas: 2,
      readyReplicas: 3,
    });
    expect(count("0:ready@b", "1:ready@b", "2:unready@b").currentRevision).toBe("a");
    expect(count("0:ready@b", "1:ready@b", "2:ready@b")).toMatchObject({ currentRevision: "b", currentReplicas: 3 });
  });
});

describe("the pod of a number", () => {
  it("has its name everywhere, and its claims for volumes, which replace the template's of that name", () => {
    const wanted = set({
      template: {
        ...template,
        spec: {
          ...template.spec,
          volumes: [
            { name: "data", emptyDir: {} },
            { name: "x", emptyDir: {} },
          ],
        },
      },
      volumeClaimTemplates: [
        { metadata: { name: "data", labels: { own: "yes" } }, spec: { accessModes: ["ReadWriteOnce"] } },
      ],
    });
    const own = { revision: "a", template: wanted.spec?.template ?? {} };
    const { metadata, spec } = buildPod(wanted, { current: own, update: own }, 1);
    expect(metadata).toMatchObject({
      name: "db-1",
      labels: { app: "db", "statefulset.kubernetes.io/pod-name": "db-1", "apps.kubernetes.io/pod-index": "1" },
    });
    expect(spec).toMatchObject({ hostname: "db-1", subdomain: "db" });
    expect(spec?.volumes).toEqual([
      { name: "data", persistentVolumeClaim: { claimName: "data-db-1" } },
      { name: "x", emptyDir: {} },
    ]);
    expect(claimsOf(wanted, 1)).toMatchObject([{ metadata: { name: "data-db-1", labels: { own: "yes", app: "db" } } }]);
  });

  it.each([
    ["db-0", 0],
    ["db-12", 12],
    ["db-", -1],
    ["db-x", -1],
    ["other-1", -1],
    ["db-1-2", -1],
  ])("%s is number %d", (name, ordinal) => {
    expect(ordinalOf(set(), name)).toBe(ordinal);
  });
});
