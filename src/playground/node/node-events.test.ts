import { expect, test } from "vitest";
import { systemClock } from "#base/clock";
import { silentLogger } from "#base/logger";
import { createScheduleTeller } from "./node-events.ts";

test("a node tells when it begins and ends to be cordoned, once each", () => {
  const told: unknown[] = [];
  const client = {
    create: <T>(_type: unknown, object: T) => {
      told.push(object);
      return Promise.resolve(object);
    },
  };
  const tell = createScheduleTeller({
    client,
    config: { nodeName: "node-a" },
    clock: systemClock,
    logger: silentLogger(),
  });
  for (const unschedulable of [false, true, true, false, false]) tell(unschedulable);
  expect(told).toMatchObject([
    { reason: "NodeNotSchedulable", message: "Node node-a status is now: NodeNotSchedulable", type: "Normal" },
    { reason: "NodeSchedulable", message: "Node node-a status is now: NodeSchedulable", type: "Normal" },
  ]);
});
