// A playground in which the guide ran and both clusters' clients call steadily; failures are tried on it one by one.
import { until } from "#base/until";
import { type CaseResult, judge, report } from "./failure-report.ts";
import { type Load, RATE, startLoad, untilSpread } from "./load.ts";
import { bootPlayground, GUIDE, type TestPlayground } from "./playground.ts";

export const CONTEXTS = ["cluster1", "cluster2"] as const;

export interface MeshUnderLoad {
  readonly playground: TestPlayground;
  readonly load: Load;
  /** Runs `fail` under load until `heal` resolves and all is as before; remembers the result for the report. */
  tryCase(title: string, failure: Failure, versions?: Versions): Promise<CaseResult>;
  /** Waits until each client made so many calls since then. */
  untilCalls(count: number, since: number): Promise<void>;
  /** Prints and writes the report, takes the playground down. */
  end(heading: string): Promise<void>;
}

/** Which versions answer each client afterwards; both, if not said. */
export type Versions = Readonly<Record<(typeof CONTEXTS)[number], readonly string[]>>;

const BOTH: Versions = { cluster1: ["v1", "v2"], cluster2: ["v1", "v2"] };

export interface Failure {
  readonly fail: () => Promise<unknown>;
  /** Resolves when what failed is ready again. */
  readonly healed: () => Promise<unknown>;
}

export async function bootMeshUnderLoad(): Promise<MeshUnderLoad> {
  const playground = await bootPlayground();
  try {
    await playground.page(GUIDE);
    const load = await startLoad(playground, CONTEXTS);
    const results: CaseResult[] = [];
    return {
      playground,
      load,
      async untilCalls(count, since) {
        const enough = async () => {
          const calls = await load.calls(since);
          return CONTEXTS.every((context) => calls.filter((call) => call.context === context).length >= count);
        };
        await until(enough, { reason: `${count} calls of each client`, timeoutMs: 60_000, intervalMs: 300 });
      },
      async tryCase(title, { fail, healed }, versions = BOTH) {
        const failedAt = Date.now();
        await fail();
        await healed();
        const since = Date.now();
        await Promise.all(CONTEXTS.map((context) => untilSpread(load, context, since, versions[context])));
        const healedAt = Date.now();
        await quiet(load);
        const result = judge(title, await load.calls(failedAt), failedAt, healedAt);
        const expected = ((healedAt - failedAt) / 1000) * RATE * CONTEXTS.length;
        if (result.calls < expected * 0.9)
          throw new Error(`${title}: only ${result.calls} of ${expected} calls were made`);
        results.push(result);
        return result;
      },
      async end(heading) {
        if (results.length > 0) report(heading, results);
        await playground.down();
      },
    };
  } catch (thrown) {
    await playground.down();
    throw thrown;
  }
}

const QUIET_MS = 1000;

/** Waits until no call failed for a second, so that a failure is counted to its own case. */
async function quiet(load: Load): Promise<void> {
  const since = Date.now();
  await until(
    async () => {
      const now = Date.now();
      const last = (await load.calls(since)).findLast((call) => call.error !== undefined);
      return now - (last?.at ?? since) >= QUIET_MS;
    },
    { reason: "no call fails for a second", timeoutMs: 60_000, intervalMs: 300 },
  );
}
