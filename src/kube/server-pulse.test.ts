import { describe, expect, test } from "vitest";
import { until } from "#base/until";
import { ManualClock } from "../../tests/kit/manual-clock.ts";
import type { TransportRequest } from "./http-transport.ts";
import { KubeError } from "./kube-client.ts";
import { createServerPulse } from "./server-pulse.ts";

/** A server that answers, refuses, or is silent until the caller gives up. */
function setUp() {
  const clock = new ManualClock();
  const asked: string[] = [];
  const server = { mode: "answers" as "answers" | "refuses" | "silent" };
  const json = async ({ path, signal }: TransportRequest): Promise<unknown> => {
    asked.push(path);
    if (server.mode === "refuses") throw new KubeError(403, "Forbidden", "no");
    if (server.mode === "answers") return {};
    return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
  };
  const pulse = createServerPulse({ server: "https://api", transport: { json }, clock });
  /** Moves the clock by seconds, one at a time, so that what an answer starts is seen too. */
  const pass = async (seconds: number) => {
    for (let second = 0; second < seconds; second += 1) {
      clock.advance(1000);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { asked, server, pulse, pass };
}

describe("the pulse of a server", () => {
  test("is taken after 30 s of silence, and only while something is watched", async () => {
    const { asked, pulse, pass } = setUp();
    await pass(100);
    const release = pulse.follow(() => {});
    await pass(29);
    pulse.heard();
    await pass(29);
    expect(asked).toEqual([]);
    await pass(1);
    expect(asked).toEqual(["/version"]);
    await pass(60);
    expect(asked).toHaveLength(3);
    release();
    await pass(100);
    expect(asked).toHaveLength(3);
  });

  test("a server that is silent for 15 s more is told to every watch, and asked again later", async () => {
    const { asked, server, pulse, pass } = setUp();
    server.mode = "silent";
    const told: KubeError[] = [];
    pulse.follow((error) => told.push(error));
    pulse.follow((error) => told.push(error));
    await pass(44);
    expect(told).toEqual([]);
    await pass(1);
    await until(() => told.length === 2, { reason: "both watches are told", timeoutMs: 60_000, intervalMs: 1 });
    expect(told[0]).toMatchObject({ status: 0, reason: "Silent" });
    await pass(45);
    expect(asked).toHaveLength(2);
  });

  test("a refusal is a sign of life", async () => {
    const { asked, server, pulse, pass } = setUp();
    server.mode = "refuses";
    pulse.follow((error) => expect.unreachable(error.message));
    await pass(50);
    expect(asked).toHaveLength(1);
  });
});
