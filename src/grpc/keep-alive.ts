import type { Http2Session } from "node:http2";

export interface KeepAlive {
  /** Time between pings, milliseconds. */
  readonly intervalMs: number;
  /** An unanswered ping ends the session after this long, milliseconds. */
  readonly timeoutMs: number;
}

/** Istio's values: a peer that vanished without a word is noticed within 40 s. */
export const DEFAULT_KEEP_ALIVE: KeepAlive = { intervalMs: 30_000, timeoutMs: 10_000 };

/** Receive windows of 1 MiB: with the default 64 KiB a long first configuration waits for the reader at every turn. */
export const WINDOW_BYTES = 1 << 20;
/** Node ends streams of a session above this many MB; its default of 10 is one large push. */
export const SESSION_MEMORY_MB = 1024;

/** Pings the peer for as long as the session lives. Timers do not hold the process. */
export function keepAlive(session: Http2Session, options: KeepAlive): void {
  let giveUp: NodeJS.Timeout | undefined;
  const ping = () => {
    if (session.destroyed || giveUp !== undefined) return;
    giveUp = setTimeout(() => session.destroy(new Error("keep-alive ping was not answered")), options.timeoutMs);
    giveUp.unref(); // the session's socket holds the process, its timers need not
    const sent = session.ping(() => {
      clearTimeout(giveUp);
      giveUp = undefined;
    });
    if (!sent) clearTimeout(giveUp);
  };
  const timer = setInterval(ping, options.intervalMs);
  timer.unref();
  session.once("close", () => {
    clearInterval(timer);
    clearTimeout(giveUp);
  });
}
