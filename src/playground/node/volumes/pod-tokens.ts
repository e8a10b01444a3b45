import type { Pod, ServiceAccountTokenProjection } from "#api/kubernetes/gen/types";
import { objectKey } from "#api/kubernetes/object";
import type { Clock } from "#base/clock";
import type { Logger } from "#base/logger";
import { errorMessage } from "#base/mesh-error";
import { tokenProjections } from "./volume-content.ts";

export interface IssuedToken {
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** Asks for a token bound to one pod. */
export type TokenIssuer = (audience: string | undefined, expirationSeconds: number) => Promise<IssuedToken>;

export interface PodTokens {
  get(projection: ServiceAccountTokenProjection): string | undefined;
  close(): void;
}

export interface PodTokensOptions {
  readonly projections: readonly ServiceAccountTokenProjection[];
  readonly issue: TokenIssuer;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called when a token came or was replaced, and with the reason when one could not be had. */
  readonly onChange: (problem?: string) => void;
}

const DEFAULT_LIFE_SECONDS = 3600;
const RETRY_MS = { first: 200, max: 10_000 } as const;
/** Of its life a token is used; then the next one is fetched. */
const USED_LIFE = 0.8;

/** Fetches each distinct token of a pod and fetches it anew after 80 % of its life. */
export function keepPodTokens(options: PodTokensOptions): PodTokens {
  const tokens = new Map<string, string>();
  const timers = new Map<string, () => void>();
  let closed = false;
  const fetchToken = async (projection: ServiceAccountTokenProjection, retryMs: number): Promise<void> => {
    const key = keyOf(projection);
    let waitMs = retryMs;
    try {
      const seconds = projection.expirationSeconds ?? DEFAULT_LIFE_SECONDS;
      const issued = await options.issue(projection.audience, seconds);
      if (closed) return;
      waitMs = Math.max(1000, (issued.expiresAt - options.clock.now()) * USED_LIFE);
      timers.set(
        key,
        options.clock.schedule(waitMs, () => void fetchToken(projection, RETRY_MS.first)),
      );
      tokens.set(key, issued.token);
      options.onChange();
    } catch (thrown) {
      if (closed) return;
      options.logger.warn({ path: projection.path, error: errorMessage(thrown) }, "token not issued");
      options.onChange(errorMessage(thrown));
      const next = Math.min(retryMs * 2, RETRY_MS.max);
      timers.set(
        key,
        options.clock.schedule(retryMs, () => void fetchToken(projection, next)),
      );
    }
  };
  const distinct = new Map(options.projections.map((projection) => [keyOf(projection), projection]));
  for (const projection of distinct.values()) void fetchToken(projection, RETRY_MS.first);
  return {
    get: (projection) => tokens.get(keyOf(projection)),
    close() {
      closed = true;
      for (const cancel of timers.values()) cancel();
    },
  };
}

/** What issues them, and what its tokens are told with. */
export interface TokenContext extends Pick<PodTokensOptions, "clock" | "logger"> {
  readonly api: { issueToken(pod: Pod, audience: string | undefined, seconds: number): Promise<IssuedToken> };
}

/** Those that the volumes of a pod ask for. */
export function tokensOfPod(
  pod: Pod,
  { api, clock, logger }: TokenContext,
  onChange: PodTokensOptions["onChange"],
): PodTokens {
  return keepPodTokens({
    projections: tokenProjections(pod),
    issue: (audience, seconds) => api.issueToken(pod, audience, seconds),
    clock,
    logger: logger.child({ pod: objectKey(pod) }),
    onChange,
  });
}

function keyOf({ audience = "", expirationSeconds }: ServiceAccountTokenProjection): string {
  return `${audience}\0${expirationSeconds ?? DEFAULT_LIFE_SECONDS}`;
}
