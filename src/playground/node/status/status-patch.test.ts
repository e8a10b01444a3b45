import { expect, test } from "vitest";
import type { PodStatus } from "#api/kubernetes/gen/types";
import { strategicMerge } from "../../api-server/patch/strategic-merge.ts";
import { definition } from "../../api-server/schema/schema.ts";
import { statusPatch } from "./status-patch.ts";

const merged = (live: PodStatus, status: PodStatus, gone: readonly string[] = []): PodStatus => {
  const text = JSON.stringify({ status: statusPatch(status, gone) });
  const { status: after } = strategicMerge(
    definition("io.k8s.api.core.v1.Pod"),
    JSON.parse(JSON.stringify({ status: live })),
    JSON.parse(text),
  );
  return after as PodStatus;
};

test("a condition keeps no reason and message of before, and those of others stay", () => {
  const live: PodStatus = {
    conditions: [
      { type: "Initialized", status: "False", reason: "ContainersNotInitialized", message: "wait" },
      { type: "example.com/gate", status: "True", reason: "Mine" },
      { type: "PodResizePending", status: "True" },
    ],
  };
  const status: PodStatus = { phase: "Running", conditions: [{ type: "Initialized", status: "True" }] };
  expect(merged(live, status, ["PodResizePending"])).toEqual({
    phase: "Running",
    conditions: [
      { type: "Initialized", status: "True" },
      { type: "example.com/gate", status: "True", reason: "Mine" },
    ],
  });
});

test("addresses take the place of those before", () => {
  const live: PodStatus = { podIPs: [{ ip: "10.0.0.1" }], hostIPs: [{ ip: "10.1.0.1" }] };
  const status: PodStatus = { podIPs: [{ ip: "10.0.0.2" }, { ip: "fd00::2" }], hostIPs: [{ ip: "10.1.0.1" }] };
  expect(merged(live, status)).toEqual(status);
});
