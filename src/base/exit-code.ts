/** Exit codes of every program: 0 yes or done, 1 no or failed, 2 the command line was wrong. */
export const EXIT_CODES = { ok: 0, failed: 1, usage: 2 } as const;
export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES];
