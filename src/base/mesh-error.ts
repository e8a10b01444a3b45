/** What every error that reaches a person carries: a stable code, what happened, and what to do about it. */
export interface MeshErrorOptions {
  /** What to do next, one sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** An error for people. `code` is stable and scriptable, `message` says what happened and where, `hint` the cure. */
export class MeshError extends Error {
  readonly code: string;
  readonly hint: string | undefined;

  constructor(code: string, message: string, options: MeshErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "MeshError";
    this.code = code;
    this.hint = options.hint;
  }

  /** At a border: anything thrown becomes a MeshError; one that already is stays itself. */
  static from(thrown: unknown, code = "INTERNAL"): MeshError {
    if (thrown instanceof MeshError) return thrown;
    if (thrown instanceof Error) return new MeshError(code, thrown.message, { cause: thrown });
    return new MeshError(code, String(thrown));
  }
}

/** One line of text for any thrown value; never a stack. */
export function errorMessage(thrown: unknown): string {
  if (thrown instanceof Error) {
    const cause =
      thrown.cause instanceof Error && !thrown.message.includes(thrown.cause.message)
        ? `: ${thrown.cause.message}`
        : "";
    return `${thrown.message || thrown.name}${cause}`;
  }
  return String(thrown);
}
