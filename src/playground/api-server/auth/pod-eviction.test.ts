import { describe, expect, it } from "vitest";
import { ManualClock } from "../../../../tests/kit/manual-clock.ts";
import type { JsonObject, ObjectAccess } from "../contract.ts";
import { podEviction } from "./pod-eviction.ts";

const web = { namespace: "shop", labels: { app: "web" } };
const pod = (name: string, ready = true, phase = "Running"): JsonObject => ({
  metadata: { name, ...web },
  status: { phase, conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
});
const budget = (status: JsonObject, spec: JsonObject = {}): JsonObject => ({
  metadata: { name: "budget", namespace: "shop", generation: 1 },
  spec: { selector: { matchLabels: { app: "web" } }, ...spec },
  status: { observedGeneration: 1, desiredHealthy: 1, currentHealthy: 2, disruptionsAllowed: 1, ...status },
});

function server(pods: JsonObject[], budgets: JsonObject[]) {
  const stored = new Map<string, JsonObject>();
  const keyOf = (resource: string, object: JsonObject) => `${resource}/${(object["metadata"] as JsonObject)["name"]}`;
  for (const object of pods) stored.set(keyOf("pods", object), object);
  for (const [index, object] of budgets.entries()) stored.set(`poddisruptionbudgets/budget${index || ""}`, object);
  const deleted: [string, JsonObject][] = [];
  const objects: ObjectAccess = {
    get: (_group, resource, _namespace, name) => stored.get(`${resource}/${name}`),
    list: (_group, resource) => [...stored].filter(([key]) => key.startsWith(resource)).map(([, object]) => object),
    update({ resource, name }, change) {
      const after = change(structuredClone(stored.get(`${resource}/${name}`) ?? {}));
      stored.set(`${resource}/${name}`, after);
      return after;
    },
    async delete({ name }, options) {
      deleted.push([name, options]);
      return {};
    },
    subscribe: () => () => {},
  };
  const { create } = podEviction(objects, new ManualClock(Date.parse("2026-01-01T00:00:00Z")));
  const user = { username: "admin", groups: [] };
  const evict = (name: string, deleteOptions: JsonObject = {}) =>
    create({ user, namespace: "shop", name, body: { metadata: { name }, deleteOptions } });
  return { stored, deleted, evict, create };
}

describe("podEviction", () => {
  it("takes an allowed eviction off the budget at once, so that the next one is refused", async () => {
    const { stored, deleted, evict } = server([pod("one"), pod("two")], [budget({})]);
    expect(await evict("one", { gracePeriodSeconds: 5 })).toMatchObject({ status: "Success", code: 201 });
    expect(deleted).toEqual([["one", { gracePeriodSeconds: 5 }]]);
    expect(stored.get("poddisruptionbudgets/budget")?.["status"]).toMatchObject({
      disruptionsAllowed: 0,
      disruptedPods: { one: "2026-01-01T00:00:00Z" },
      conditions: [{ type: "DisruptionAllowed", status: "False", reason: "InsufficientPods" }],
    });
    expect(stored.get("pods/one")?.["status"]).toMatchObject({
      conditions: [{ type: "Ready" }, { type: "DisruptionTarget", status: "True", reason: "EvictionByEvictionAPI" }],
    });
    await expect(evict("two")).rejects.toMatchObject({
      code: 429,
      message: "Cannot evict pod as it would violate the pod's disruption budget.",
      details: { causes: [{ message: "The disruption budget budget does not allow evicting pods currently" }] },
    });
    expect(deleted).toHaveLength(1);
  });

  it.each([
    ["too few are healthy", budget({ disruptionsAllowed: 0, currentHealthy: 1 }), "needs 1 healthy pods and has 1"],
    ["the budget is not looked at yet", budget({ observedGeneration: 0 }), "is still being processed by the server."],
  ])("says why when %s", async (_what, blocking, message) => {
    const { evict, deleted } = server([pod("one")], [blocking]);
    const causes = [{ reason: "DisruptionBudget", message: expect.stringContaining(message) }];
    await expect(evict("one")).rejects.toMatchObject({ code: 429, details: { causes } });
    expect(deleted).toEqual([]);
  });

  it.each([
    ["has not started", pod("one", false, "Pending"), budget({ disruptionsAllowed: 0 })],
    ["is not ready while enough others are", pod("one", false), budget({ disruptionsAllowed: 0 })],
    [
      "is not ready and may always go",
      pod("one", false),
      budget({ disruptionsAllowed: 0, currentHealthy: 0 }, { unhealthyPodEvictionPolicy: "AlwaysAllow" }),
    ],
  ])("lets a pod go that %s", async (_what, going, blocking) => {
    const { evict, deleted } = server([going], [blocking]);
    await evict("one");
    expect(deleted).toHaveLength(1);
  });

  it("changes nothing in a dry run but the answer", async () => {
    const { evict, stored } = server([pod("one")], [budget({})]);
    await evict("one", { dryRun: ["All"] });
    expect(stored.get("poddisruptionbudgets/budget")).toEqual(budget({}));
    expect(stored.get("pods/one")).toEqual(pod("one"));
  });

  it("does not choose between two budgets", async () => {
    const { evict, deleted } = server([pod("one")], [budget({}), budget({})]);
    expect(await evict("one")).toMatchObject({ status: "Failure", code: 500 });
    expect(deleted).toEqual([]);
  });

  it("refuses the name of another pod", async () => {
    const { create } = server([pod("one")], []);
    const user = { username: "admin", groups: [] };
    const request = { user, namespace: "shop", name: "one", body: { metadata: { name: "two" } } };
    await expect(create(request)).rejects.toMatchObject({ code: 400 });
  });
});
