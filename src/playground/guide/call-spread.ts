// Calls helloworld from a client pod many times and counts who answered: the proof that the mesh spreads requests.
import { spawn } from "node:child_process";

/** Answers of one client cluster. */
export interface Spread {
  readonly client: string;
  /** Calls that were answered, by version and answering pod. */
  readonly answers: readonly { readonly version: string; readonly instance: string; readonly count: number }[];
  readonly calls: number;
  readonly errors: readonly string[];
}

export interface CallOptions {
  readonly context: string;
  readonly calls: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
}

const ANSWER = /^Hello version: (\S+), instance: (\S+)$/;

/** One exec, one curl process per call, so that every call is a connection of its own. */
export async function callSpread(options: CallOptions): Promise<Spread> {
  const loop = `i=0; while [ $i -lt ${options.calls} ]; do curl -sS --max-time 10 -w '\\n' helloworld.sample:5000/hello 2>&1; i=$((i+1)); done`;
  const args = [
    "exec",
    "--context",
    options.context,
    "-n",
    "sample",
    "-c",
    "sleep",
    "deploy/sleep",
    "--",
    "sh",
    "-c",
    loop,
  ];
  const lines = (await run("kubectl", args, options)).split("\n").filter((line) => line.trim() !== "");
  return countAnswers(options.context, options.calls, lines);
}

export function countAnswers(client: string, calls: number, lines: readonly string[]): Spread {
  const counts = new Map<string, { version: string; instance: string; count: number }>();
  const errors: string[] = [];
  for (const line of lines) {
    const match = ANSWER.exec(line.trim());
    if (match === null) {
      errors.push(line);
      continue;
    }
    const [, version = "", instance = ""] = match;
    const entry = counts.get(instance) ?? { version, instance, count: 0 };
    entry.count += 1;
    counts.set(instance, entry);
  }
  const answered = [...counts.values()].reduce((sum, entry) => sum + entry.count, 0);
  for (let missing = answered + errors.length; missing < calls; missing += 1) errors.push("no answer");
  return { client, calls, answers: [...counts.values()].sort((a, b) => a.version.localeCompare(b.version)), errors };
}

/**
 * Whether the spread keeps the guide's promise: no errors, and each of the versions has a share within five standard
 * deviations of its fair part. Undefined when it does, else the reason.
 */
export function whyNotSpread(spread: Spread, versions: readonly string[]): string | undefined {
  if (spread.errors.length > 0)
    return `${spread.errors.length} of ${spread.calls} calls from ${spread.client} failed: ${spread.errors[0]}`;
  const share = 1 / versions.length;
  const deviation = Math.sqrt(spread.calls * share * (1 - share));
  const countOf = (version: string) =>
    spread.answers.filter((answer) => answer.version === version).reduce((sum, answer) => sum + answer.count, 0);
  const absent = versions.find((version) => countOf(version) === 0);
  if (absent !== undefined) return `${spread.client} never reached version ${absent}`;
  for (const version of versions) {
    const count = countOf(version);
    if (Math.abs(count - spread.calls * share) > 5 * deviation) {
      return `${spread.client} reached version ${version} in ${count} of ${spread.calls} calls, far from ${Math.round(spread.calls * share)}`;
    }
  }
  return undefined;
}

/** Which cluster (by context) each helloworld pod lives in, asked of the clusters themselves. */
export async function podHomes(
  contexts: readonly string[],
  options: Omit<CallOptions, "context" | "calls">,
): Promise<ReadonlyMap<string, string>> {
  const homes = new Map<string, string>();
  await Promise.all(
    contexts.map(async (context) => {
      const args = ["get", "pods", "--context", context, "-n", "sample", "-l", "app=helloworld", "-o", "name"];
      const names = (await run("kubectl", args, options)).split("\n").filter((line) => line.startsWith("pod/"));
      for (const name of names) homes.set(name.slice("pod/".length), context);
    }),
  );
  return homes;
}

function run(
  program: string,
  args: readonly string[],
  options: Omit<CallOptions, "context" | "calls">,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: options.environment,
      stdio: ["ignore", "pipe", "pipe"],
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    let output = "";
    const collect = (chunk: Buffer) => {
      output += chunk.toString();
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    child.on("error", reject);
    child.on("close", () => resolve(output));
  });
}
