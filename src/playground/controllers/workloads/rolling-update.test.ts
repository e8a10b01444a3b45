import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planRollingUpdate, rolloutBounds } from "./rolling-update.ts";

describe("rolloutBounds", () => {
  it.each([
    [4, undefined, { replicas: 4, maxSurge: 1, maxUnavailable: 1 }],
    [1, undefined, { replicas: 1, maxSurge: 1, maxUnavailable: 0 }],
    [10, { maxSurge: "25%", maxUnavailable: "25%" }, { replicas: 10, maxSurge: 3, maxUnavailable: 2 }],
    [3, { maxSurge: "100%", maxUnavailable: 0 }, { replicas: 3, maxSurge: 3, maxUnavailable: 0 }],
    [3, { maxSurge: 0, maxUnavailable: "10%" }, { replicas: 3, maxSurge: 0, maxUnavailable: 1 }],
    [2, { maxSurge: 0, maxUnavailable: 5 }, { replicas: 2, maxSurge: 0, maxUnavailable: 2 }],
  ])("reads %i replicas with %o", (replicas, rollingUpdate, expected) => {
    const strategy = rollingUpdate === undefined ? {} : { strategy: { type: "RollingUpdate", rollingUpdate } };
    expect(rolloutBounds({ spec: { replicas, selector: {}, template: {}, ...strategy } })).toEqual(expected);
  });
});

describe("planRollingUpdate", () => {
  const bounds = { replicas: 4, maxSurge: 1, maxUnavailable: 1 };
  it.each([
    ["a first rollout", { desired: 0, available: 0 }, [], { current: 4, old: [] }],
    [
      "the first step of an update",
      { desired: 0, available: 0 },
      [{ desired: 4, available: 4 }],
      { current: 1, old: [3] },
    ],
    [
      "a new pod became available",
      { desired: 2, available: 2 },
      [{ desired: 3, available: 3 }],
      { current: 2, old: [1] },
    ],
    [
      "broken old pods go first, oldest first",
      { desired: 1, available: 0 },
      [
        { desired: 1, available: 0 },
        { desired: 3, available: 3 },
      ],
      { current: 1, old: [0, 3] },
    ],
    [
      "nothing new is available",
      { desired: 2, available: 0 },
      [{ desired: 3, available: 3 }],
      { current: 2, old: [3] },
    ],
    ["scaling down", { desired: 9, available: 9 }, [], { current: 4, old: [] }],
  ])("plans %s", (_what, current, old, expected) => {
    expect(planRollingUpdate(bounds, current, old)).toEqual(expected);
  });

  it("never breaks its bounds and always ends", () => {
    const small = fc.integer({ min: 0, max: 4 });
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 8 }),
        small,
        small,
        fc.array(fc.nat(), { minLength: 1, maxLength: 30 }),
        (replicas, maxSurge, wanted, luck) => {
          const maxUnavailable = Math.min(replicas, maxSurge === 0 ? Math.max(1, wanted) : wanted);
          const limits = { replicas, maxSurge, maxUnavailable };
          let current = { desired: 0, available: 0 };
          let old = [{ desired: replicas, available: replicas }];
          for (let round = 0; round < 100; round++) {
            const step = planRollingUpdate(limits, current, old);
            const available =
              current.available +
              step.old.reduce((sum, desired, index) => sum + Math.min(desired, old[index]?.available ?? 0), 0);
            expect(step.current + step.old.reduce((sum, desired) => sum + desired, 0)).toBeLessThanOrEqual(
              replicas + maxSurge,
            );
            expect(available).toBeGreaterThanOrEqual(replicas - maxUnavailable);
            old = step.old.map((desired, index) => ({
              desired,
              available: Math.min(desired, old[index]?.available ?? 0),
            }));
            // Some of the new pods become available, at least one.
            const starting = step.current - current.available;
            const started = starting === 0 ? 0 : 1 + ((luck[round % luck.length] ?? 0) % starting);
            current = { desired: step.current, available: current.available + started };
          }
          expect({ current, old }).toEqual({
            current: { desired: replicas, available: replicas },
            old: [{ desired: 0, available: 0 }],
          });
        },
      ),
    );
  });
});
