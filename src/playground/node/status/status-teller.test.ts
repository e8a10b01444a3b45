import { expect, test } from "vitest";
import type { PodStatus } from "#api/kubernetes/gen/types";
import { systemClock } from "#base/clock";
import { silentLogger } from "#base/logger";
import { StatusTeller } from "./status-teller.ts";

const ready = (status: "True" | "False"): PodStatus => ({ conditions: [{ type: "Ready", status }] });

test("a readiness that somebody else wrote is told anew, once; an equal one is not", async () => {
  const told: PodStatus[] = [];
  const teller = new StatusTeller(
    () => ready("True"),
    async (status) => told.push(status) > 0,
    { clock: systemClock, logger: silentLogger() },
  );
  const look = async (status: PodStatus) => {
    teller.found(status);
    await teller.flush();
    return told.length;
  };
  teller.changed();
  await teller.flush();
  expect(await look(ready("True"))).toBe(1);
  expect(await look(ready("False"))).toBe(2);
  expect(await look(ready("True"))).toBe(2);
});
