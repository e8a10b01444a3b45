import { describe, expect, it } from "vitest";
import type { Job, JobSpec, JobStatus, Pod } from "#api/kubernetes/gen/types";
import { countJob, endOf, freeIndexes, isJobFinished, untilDeadline, wantedActive } from "./job-count.ts";
import { parseIndexes, renderIndexes } from "./job-indexes.ts";

const TRACKED = ["batch.kubernetes.io/job-tracking"];
const START = Date.parse("2026-01-01T00:00:00Z");
const template = { spec: { containers: [], restartPolicy: "Never" } };
const job = (spec: Partial<JobSpec> = {}, status: JobStatus = {}): Job => ({
  metadata: { namespace: "sample", name: "work", uid: "uid-work" },
  spec: { template, ...spec },
  status: { startTime: "2026-01-01T00:00:00Z", ...status },
});

interface PodOptions {
  readonly index?: number;
  readonly phase?: string;
  readonly exitCode?: number;
  readonly failures?: number;
  readonly deleting?: boolean;
  readonly counted?: boolean;
}
const pod = (name: string, options: PodOptions = {}): Pod => {
  const { index, phase = "Running", exitCode, failures, deleting = false, counted = false } = options;
  const annotations = {
    ...(index === undefined ? {} : { "batch.kubernetes.io/job-completion-index": String(index) }),
    ...(failures === undefined ? {} : { "batch.kubernetes.io/job-index-failure-count": String(failures) }),
  };
  const state = exitCode === undefined ? {} : { terminated: { exitCode } };
  const ended = { name: "c", image: "i", imageID: "", ready: false, restartCount: 0, state };
  return {
    metadata: {
      namespace: "sample",
      name,
      uid: `uid-${name}`,
      annotations,
      ...(counted ? {} : { finalizers: TRACKED }),
      ...(deleting ? { deletionTimestamp: "2026-01-01T00:00:01Z" } : {}),
    },
    status: { phase, containerStatuses: [ended] },
  };
};
const done = (name: string, options: PodOptions = {}) => pod(name, { phase: "Succeeded", exitCode: 0, ...options });
const failed = (name: string, options: PodOptions = {}) => pod(name, { phase: "Failed", exitCode: 1, ...options });
const indexed = (spec: Partial<JobSpec>) => ({ completionMode: "Indexed", completions: 3, parallelism: 3, ...spec });
const end = (wanted: Job, pods: Pod[], now = START) => endOf(wanted, countJob(wanted, pods), now);

describe("completion indexes", () => {
  it.each([
    ["", ""],
    ["3", "3"],
    ["0,1", "0,1"],
    ["0-2,4,6,7,9-11", "0-2,4,6,7,9-11"],
    ["2,1,0", "0-2"],
  ])("%j is written %j", (text, written) => {
    expect(renderIndexes(parseIndexes(text))).toBe(written);
  });
});

describe("countJob", () => {
  it("counts each ended pod once, whether its status was written or not", () => {
    const status = { succeeded: 1, failed: 1, uncountedTerminatedPods: { succeeded: ["uid-b"], failed: ["uid-d"] } };
    const pods = [done("a", { counted: true }), done("b"), done("c"), failed("d"), failed("e"), pod("f")];
    const count = countJob(job({ completions: 9 }, status), pods);
    expect(count).toMatchObject({ succeeded: 3, failed: 3, ready: 0 });
    const names = (list: readonly Pod[]) => list.map(({ metadata }) => metadata?.name);
    expect([names(count.newlySucceeded), names(count.newlyFailed), names(count.active)]).toEqual([["c"], ["e"], ["f"]]);
  });

  it("counts an index once, however often it was done", () => {
    const pods = [done("a", { index: 0 }), done("b", { index: 0 }), done("c", { index: 2 })];
    const count = countJob(job(indexed({}), { completedIndexes: "2" }), pods);
    expect(count.succeeded).toBe(2);
    expect(renderIndexes(count.completedIndexes)).toBe("0,2");
  });

  it("does not count failures that the policy ignores", () => {
    const podFailurePolicy = { rules: [{ action: "Ignore", onExitCodes: { operator: "In", values: [42] } }] };
    expect(countJob(job({ podFailurePolicy }), [failed("a", { exitCode: 42 }), failed("b")]).failed).toBe(1);
  });

  it("gives an index up after its own limit of failures", () => {
    const wanted = job(indexed({ backoffLimitPerIndex: 1 }));
    const pods = [failed("a", { index: 0, failures: 1 }), failed("b", { index: 1, failures: 0 })];
    expect(renderIndexes(countJob(wanted, pods).failedIndexes)).toBe("0");
  });

  it("knows pods that are going and have not ended", () => {
    expect(countJob(job(), [pod("a", { deleting: true }), done("b", { deleting: true })]).terminating).toBe(1);
  });
});

describe("endOf", () => {
  it.each<[string, Partial<JobSpec>, Pod[], string | undefined]>([
    ["nothing has happened", { completions: 1 }, [pod("a")], undefined],
    ["as many as wanted succeeded", { completions: 2 }, [done("a"), done("b")], "CompletionsReached"],
    ["enough succeeded, but one still runs", { completions: 1 }, [done("a"), pod("b")], undefined],
    ["one of a work queue succeeded and none runs", {}, [done("a"), failed("b")], "CompletionsReached"],
    ["one of a work queue succeeded and others run", {}, [done("a"), pod("b")], undefined],
    ["failures within the limit", { backoffLimit: 1 }, [failed("a")], undefined],
    ["one failure too many", { backoffLimit: 1 }, [failed("a"), failed("b")], "BackoffLimitExceeded"],
    ["no failure is allowed", { backoffLimit: 0 }, [failed("a")], "BackoffLimitExceeded"],
  ])("%s", (_, spec, pods, reason) => {
    expect(end(job(spec), pods)?.reason).toBe(reason);
  });

  it("counts restarts in place against the limit", () => {
    const restarting = (restartCount: number): Pod => {
      const one = pod("a");
      const statuses = [{ name: "c", image: "i", imageID: "", ready: true, restartCount }];
      return { ...one, status: { ...one.status, containerStatuses: statuses } };
    };
    const spec = { backoffLimit: 2, template: { spec: { ...template.spec, restartPolicy: "OnFailure" } } };
    expect(end(job(spec), [restarting(1)])).toBeUndefined();
    expect(end(job(spec), [restarting(2)])?.reason).toBe("BackoffLimitExceeded");
  });

  it("ends a Job at its deadline, not before, and not while it is held back", () => {
    const wanted = job({ activeDeadlineSeconds: 10 });
    expect(end(wanted, [pod("a")], START + 9999)).toBeUndefined();
    expect(end(wanted, [pod("a")], START + 10_000)?.reason).toBe("DeadlineExceeded");
    expect(untilDeadline(wanted, START + 4000)).toBe(6000);
    expect(untilDeadline(job({ activeDeadlineSeconds: 10, suspend: true }), START)).toBeUndefined();
    expect(untilDeadline(job({ activeDeadlineSeconds: 10 }, { startTime: "" }), START)).toBeUndefined();
  });

  it("fails at once where a rule of the failure policy says so", () => {
    const podFailurePolicy = { rules: [{ action: "FailJob", onExitCodes: { operator: "In", values: [3] } }] };
    expect(end(job({ podFailurePolicy }), [failed("a", { exitCode: 3 })])).toMatchObject({
      type: "FailureTarget",
      reason: "PodFailurePolicy",
    });
    expect(end(job({ podFailurePolicy }), [failed("a", { exitCode: 4 })])).toBeUndefined();
  });

  it("fails when all other indexes are done, or when more fail than may", () => {
    const pods = [done("a", { index: 0 }), failed("b", { index: 1, failures: 0 }), done("c", { index: 2 })];
    expect(end(job(indexed({ backoffLimitPerIndex: 0 })), pods)?.reason).toBe("FailedIndexes");
    const most = indexed({ backoffLimitPerIndex: 0, maxFailedIndexes: 0 });
    expect(end(job(most), pods.slice(0, 2))?.reason).toBe("MaxFailedIndexesExceeded");
  });

  it("succeeds by the first rule of the success policy that holds", () => {
    const rules = [{ succeededIndexes: "1" }, { succeededCount: 1 }];
    const wanted = job(indexed({ successPolicy: { rules } }));
    expect(end(wanted, [done("a", { index: 0 }), pod("b", { index: 1 })])?.message).toBe("Matched rules at index 1");
    expect(end(wanted, [done("a", { index: 1 }), pod("b", { index: 0 })])?.message).toBe("Matched rules at index 0");
  });
});

describe("the pods that a Job is to have", () => {
  it.each<[string, Partial<JobSpec>, Pod[], number]>([
    ["as many at once as may run", { completions: 5, parallelism: 2 }, [], 2],
    ["no more than are left to do", { completions: 2, parallelism: 2 }, [done("a")], 1],
    ["none when all is done", { completions: 1, parallelism: 2 }, [done("a")], 0],
    ["of a work queue all", { parallelism: 3 }, [pod("a")], 3],
    ["of a work queue no new ones after the first success", { parallelism: 3 }, [done("a"), pod("b")], 1],
  ])("%s", (_, spec, pods, wanted) => {
    const one = job(spec);
    expect(wantedActive(one, countJob(one, pods))).toBe(wanted);
  });

  it("takes the lowest indexes that are neither done, failed, running nor still going", () => {
    const going = pod("c", { index: 2, deleting: true });
    const pods = [done("a", { index: 0 }), pod("b", { index: 1 }), going];
    const free = (spec: Partial<JobSpec>) => {
      const wanted = job(indexed({ completions: 5, ...spec }), { failedIndexes: "3" });
      return freeIndexes(
        wanted,
        countJob({ ...wanted, spec: { template, ...wanted.spec, backoffLimitPerIndex: 1 } }, pods),
        pods,
      );
    };
    expect(free({})).toEqual([2, 4]);
    expect(free({ podReplacementPolicy: "Failed" })).toEqual([4]);
  });
});

it("a Job is finished when a condition says so", () => {
  const condition = (type: string, status: string) => ({ status: { conditions: [{ type, status }] } });
  const finished = [condition("Complete", "True"), condition("Failed", "True")];
  const running = [condition("Complete", "False"), condition("SuccessCriteriaMet", "True"), {}];
  expect([...finished, ...running].map(isJobFinished)).toEqual([true, true, false, false, false]);
});
