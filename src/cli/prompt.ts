import type { CliContext } from "./cli-context.ts";

/**
 * Asks until the answer is y, yes, n or no (any case). The end of input is a no, so that a script without an answer
 * cancels instead of hanging.
 */
export async function confirm(question: string, io: CliContext): Promise<boolean> {
  io.stdout.write(`${question} (y/N) `);
  let pending = "";
  for await (const chunk of io.stdin) {
    pending += String(chunk);
    for (let end = pending.indexOf("\n"); end >= 0; end = pending.indexOf("\n")) {
      const answer = decide(pending.slice(0, end));
      pending = pending.slice(end + 1);
      if (answer !== undefined) return answer;
      io.stdout.write(`Please answer y or n. ${question} (y/N) `);
    }
  }
  return decide(pending) ?? false;
}

function decide(line: string): boolean | undefined {
  const word = line.trim().toLowerCase();
  if (word === "y" || word === "yes") return true;
  return word === "n" || word === "no" || word === "" ? false : undefined;
}
