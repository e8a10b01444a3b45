// The command line program inside the test's process: streams are texts, the exit code is a value.
import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { type CliContext, runProgram } from "#cli/cli-context";
import { buildProgram } from "#cli/istioctl";

export interface CliAnswer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `istioctl ARGS`. `input` is standard input in chunks; without it, it ends at once. No kubeconfig by default. */
export async function runCli(
  args: readonly string[],
  how: { input?: string | readonly string[]; environment?: Record<string, string | undefined> } = {},
): Promise<CliAnswer> {
  const input = typeof how.input === "string" ? [how.input] : (how.input ?? []);
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const texts = [text(stdout), text(stderr)] as const;
  const environment = { KUBECONFIG: "/does/not/exist", ...how.environment };
  const io: CliContext = { stdin: Readable.from(input, { objectMode: false }), stdout, stderr, environment };
  const exitCode = await runProgram(buildProgram("istioctl", io), args, io);
  stdout.end();
  stderr.end();
  return { exitCode, stdout: await texts[0], stderr: await texts[1] };
}
