/** Of work against the API server that failed: its webhooks and permissions may be a while behind an installation. */
export const RETRY_PAUSES = { firstPauseMs: 200, maxPauseMs: 30_000 } as const;
