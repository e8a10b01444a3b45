import type { CliContext } from "./cli-context.ts";

/**
 * Asks until the answer is y, yes, n or no (any case; an empty line is a no). The end of input is a no too, so that a
 * script without an answer cancels instead of hanging.
 */
export async function confirm(question: string, io: CliContext): Promise<boolean> {
  io.stdout.write(`${question} (y/N) `);
  const answer = await readAnswer(question, io);
  // On a terminal the answer ended the line, unless the input ended instead.
  if (io.stdin.isTTY !== true || answer === undefined) io.stdout.write("\n");
  return answer ?? false;
}

async function readAnswer(question: string, io: CliContext): Promise<boolean | undefined> {
  let pending = "";
  if (io.stdin.readableEnded === true) return undefined; // held the file of `-f -`
  for await (const chunk of io.stdin) {
    pending += String(chunk);
    for (let end = pending.indexOf("\n"); end >= 0; end = pending.indexOf("\n")) {
      const answer = decide(pending.slice(0, end));
      pending = pending.slice(end + 1);
      if (answer !== undefined) return answer;
      io.stdout.write(`Please answer y or n. ${question} (y/N) `);
    }
  }
  return pending === "" ? undefined : decide(pending);
}

function decide(line: string): boolean | undefined {
  const word = line.trim().toLowerCase();
  if (word === "y" || word === "yes") return true;
  return word === "n" || word === "no" || word === "" ? false : undefined;
}
