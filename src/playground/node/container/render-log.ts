// The lines of a container's log (`2026-..Z stdout F text`) as a person asked for them: pure.

export interface LogSelection {
  readonly tailLines: number | undefined;
  /** Milliseconds since the epoch. */
  readonly since: number | undefined;
  readonly timestamps: boolean;
}

export function renderLog(content: string, query: LogSelection): string {
  const lines = content.split("\n").filter(Boolean);
  const { since } = query;
  const recent = since === undefined ? lines : lines.filter((line) => Date.parse(stampOf(line)) >= since);
  return lastLines(recent, query.tailLines)
    .map((line) => renderLine(line, query.timestamps))
    .join("");
}

/** Whole lines, as a person counts them. */
export function countLines(content: string): number {
  return content.split("\n").filter((line) => line !== "" && !isPart(line)).length;
}

/** Parts of a long line count as the one line that they are. */
function lastLines(lines: readonly string[], most: number | undefined): readonly string[] {
  if (most === undefined) return lines;
  if (most <= 0) return [];
  let start = lines.length;
  for (let left = most; start > 0; start--) {
    const line = lines[start - 1] ?? "";
    if (!isPart(line) && left-- === 0) break;
  }
  return lines.slice(start);
}

function isPart(line: string): boolean {
  return /^\S+ \S+ P /.test(line);
}

function stampOf(line: string): string {
  return line.slice(0, line.indexOf(" "));
}

function renderLine(line: string, timestamps: boolean): string {
  const match = /^(\S+) \S+ ([FP]) (.*)$/s.exec(line);
  if (!match) return `${line}\n`;
  const [, stamp = "", tag, text = ""] = match;
  return `${timestamps ? `${stamp} ` : ""}${text}${tag === "P" ? "" : "\n"}`;
}
