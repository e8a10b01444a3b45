// A quiet watch and a server that is gone look the same on the wire. Whoever watches asks now and then whether the
// server is still there, so that a silent one is told and tried again instead of being trusted for ever.
import { type Clock, systemClock } from "#base/clock";
import type { Transport } from "./http-transport.ts";
import { KubeError } from "./kube-client.ts";

export interface ServerPulse {
  /** Counts as a watch until the returned function is called; `onSilent` hears when the server does not answer. */
  follow(onSilent: (error: KubeError) => void): () => void;
  /** Something came from the server: no need to ask for a while. */
  heard(): void;
}

export interface ServerPulseOptions {
  readonly server: string;
  readonly transport: Pick<Transport, "json">;
  readonly clock?: Clock;
}

/** As Kubernetes' own clients do: asked after 30 s of silence, given up after 15 s more. */
const QUIET_MS = 30_000;
const ANSWER_MS = 15_000;

/** Asks only while something is watched. Every answer is a sign of life, a refusal too. */
export function createServerPulse({ server, transport, clock = systemClock }: ServerPulseOptions): ServerPulse {
  const watches = new Set<(error: KubeError) => void>();
  let heardAt = clock.now();
  let cancel: (() => void) | undefined;
  let asking = false;
  const plan = (waitMs: number) => {
    cancel = clock.schedule(waitMs, () => void beat());
  };
  const beat = async () => {
    cancel = undefined;
    if (clock.now() - heardAt >= QUIET_MS) {
      asking = true;
      const problem = await ask(server, transport, clock);
      asking = false;
      heardAt = clock.now();
      if (problem !== undefined) for (const onSilent of [...watches]) onSilent(problem);
    }
    if (watches.size > 0) plan(heardAt + QUIET_MS - clock.now());
  };
  return {
    follow(onSilent) {
      watches.add(onSilent);
      if (cancel === undefined && !asking) {
        heardAt = clock.now();
        plan(QUIET_MS);
      }
      return () => {
        watches.delete(onSilent);
        if (watches.size > 0) return;
        cancel?.();
        cancel = undefined;
      };
    },
    heard() {
      heardAt = clock.now();
    },
  };
}

async function ask(server: string, transport: Pick<Transport, "json">, clock: Clock): Promise<KubeError | undefined> {
  const given = new AbortController();
  const cancel = clock.schedule(ANSWER_MS, () => given.abort());
  try {
    await transport.json({ method: "GET", path: "/version", signal: given.signal });
    return undefined;
  } catch (thrown) {
    if (thrown instanceof KubeError && thrown.status !== 0) return undefined;
    const hint = "check the network and whether the API server runs";
    return new KubeError(0, "Silent", `${server} was asked and has not answered for ${ANSWER_MS / 1000} s`, {
      cause: thrown,
      hint,
    });
  } finally {
    cancel();
  }
}
