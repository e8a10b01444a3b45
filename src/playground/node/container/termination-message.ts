// What a container says about its end: the file at terminationMessagePath or, if it asks for that, the end of its log.
import { readFileSync } from "node:fs";
import type { Container } from "#api/kubernetes/gen/types";
import { renderLog } from "./render-log.ts";

const MOST = { fileBytes: 4096, logBytes: 2048, logLines: 80 } as const;

export const DEFAULT_TERMINATION_PATH = "/dev/termination-log";

export interface EndedContainer {
  readonly container: Pick<Container, "terminationMessagePolicy">;
  readonly exitCode: number;
  /** On the node. */
  readonly terminationLog: string;
  readonly logPath: string;
}

/** Empty when it said nothing. Never throws. */
export function terminationMessage({ container, exitCode, terminationLog, logPath }: EndedContainer): string {
  const said = tail(terminationLog, MOST.fileBytes);
  const fallBack = container.terminationMessagePolicy === "FallbackToLogsOnError" && exitCode !== 0;
  if (said !== "" || !fallBack) return said;
  try {
    const query = { tailLines: MOST.logLines, since: undefined, timestamps: false };
    const text = Buffer.from(renderLog(readFileSync(logPath, "utf8"), query));
    return text.subarray(Math.max(0, text.length - MOST.logBytes)).toString();
  } catch {
    return "";
  }
}

function tail(path: string, most: number): string {
  try {
    const bytes = readFileSync(path);
    return bytes.subarray(Math.max(0, bytes.length - most)).toString();
  } catch {
    return "";
  }
}
