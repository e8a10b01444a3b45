// How the end of a command is told to a client, over SPDY and over WebSockets.
import type { Duplex } from "node:stream";

/** One exec or attach session, whatever carries it. */
export interface RemoteStreams {
  readonly stdin: Duplex | undefined;
  readonly stdout: Duplex | undefined;
  readonly stderr: Duplex | undefined;
  readonly resize: Duplex | undefined;
  readonly tty: boolean;
  /** Settles when the client is gone. */
  readonly closed: Promise<void>;
  /** Tells the exit code, ends all streams and closes. */
  finish(exitCode: number, message?: string): void;
}

/** A Status object as JSON; `message` is what went wrong on our side. */
export function statusText(exitCode: number, message: string | undefined): string {
  if (message !== undefined) {
    return JSON.stringify({ metadata: {}, status: "Failure", message, reason: "InternalError", code: 500 });
  }
  if (exitCode === 0) return JSON.stringify({ metadata: {}, status: "Success" });
  return JSON.stringify({
    metadata: {},
    status: "Failure",
    message: `command terminated with non-zero exit code: exit status ${exitCode}`,
    reason: "NonZeroExitCode",
    details: { causes: [{ reason: "ExitCode", message: String(exitCode) }] },
  });
}

/** What protocols before v4 say: nothing when all went well. */
export function legacyText(exitCode: number, message: string | undefined): string {
  if (message !== undefined) return message;
  return exitCode === 0 ? "" : `command terminated with exit code ${exitCode}`;
}
