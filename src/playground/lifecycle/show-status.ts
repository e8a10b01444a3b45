import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import { EXIT_CODES, type ExitCode } from "#base/exit-code";
import { MeshError } from "#base/mesh-error";
import { renderColumns } from "../render-columns.ts";
import type { CommandContext, NameOption } from "./command-context.ts";
import { isLocked, runLock, startLock } from "./lock.ts";
import { type PlaygroundPaths, pathsBelow, playgroundPaths } from "./playground-paths.ts";
import { type PlaygroundPhase, type PlaygroundStatus, readStatus } from "./playground-status.ts";

export const STATUS_FORMATS = ["table", "json", "yaml"] as const;
export type StatusFormat = (typeof STATUS_FORMATS)[number];

export interface StatusOptions extends NameOption {
  readonly output: StatusFormat;
}

const LIVING: readonly PlaygroundPhase[] = ["starting", "ready", "stopping"];

/** What is written, corrected by what is true: a living phase without a living supervisor is a crash. */
export async function currentStatus(paths: PlaygroundPaths): Promise<PlaygroundStatus | undefined> {
  const status = await readStatus(paths);
  if (status === undefined || !LIVING.includes(status.phase)) return status;
  if (await isLocked(runLock(paths))) return status;
  return { ...status, phase: "crashed", reason: "its supervisor is gone" };
}

/** Prints the status; 0 when the playground is ready, else 1. */
export async function showStatus(options: StatusOptions, context: CommandContext): Promise<ExitCode> {
  const paths = playgroundPaths(options.name, context.env);
  const status = await currentStatus(paths);
  const isLost = status === undefined && (await isLocked(runLock(paths))) && !(await isLocked(startLock(paths)));
  if (options.output === "table" && isLost) context.tell(`${lostSentence(paths)}; ${lostHint(paths)}`);
  else if (options.output === "table" && status === undefined) await tellAbsence(paths, context);
  else if (options.output === "table" && status !== undefined) showTable(paths, status, context);
  else {
    const phase = isLost ? "lost" : "absent";
    const value = status ?? { name: paths.name, phase, stateDir: paths.stateDir, clusters: [] };
    context.print((options.output === "json" ? JSON.stringify(value, undefined, 2) : stringify(value)).trimEnd());
  }
  return status?.phase === "ready" ? EXIT_CODES.ok : EXIT_CODES.failed;
}

/** Of a playground that runs and of which no file tells. */
export const lostSentence = ({ name, stateDir }: PlaygroundPaths) =>
  `playground ${name} runs, but its state folder ${stateDir} was deleted`;
export const lostHint = ({ name }: PlaygroundPaths) => `take it down: isthmus playground down --name ${name}`;

async function tellAbsence(paths: PlaygroundPaths, context: CommandContext): Promise<void> {
  const others = await runningBeside(paths);
  const besides = others.length === 0 ? "" : `; running: ${others.map((name) => `--name ${name}`).join(", ")}`;
  context.tell(
    `playground ${paths.name} is not running; start it: isthmus playground up --name ${paths.name}${besides}`,
  );
}

/** The names of the user's other playgrounds that are up. Never throws. */
async function runningBeside(paths: PlaygroundPaths): Promise<string[]> {
  const base = dirname(paths.stateDir);
  const found: string[] = [];
  for (const name of namesIn(base)) {
    const status = await currentStatus(pathsBelow(name, join(base, name))).catch(() => undefined);
    if (name !== paths.name && status?.phase === "ready") found.push(name);
  }
  return found;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function showTable(paths: PlaygroundPaths, status: PlaygroundStatus, context: CommandContext): void {
  if (status.phase !== "ready") {
    context.tell(`playground ${paths.name}: ${status.phase}${status.reason === undefined ? "" : `: ${status.reason}`}`);
    for (const line of status.logTail ?? []) context.tell(`  | ${line}`);
  }
  const age = formatAge(Date.now() - Date.parse(status.readyAt ?? status.startedAt));
  const rows = status.clusters.map((cluster) => [
    cluster.name,
    cluster.network,
    cluster.apiServer,
    cluster.nodeName,
    LIVING.includes(status.phase) ? cluster.state : status.phase,
    age,
    status.engine,
    status.nodes,
  ]);
  const head = ["CLUSTER", "NETWORK", "API SERVER", "NODE", "STATE", "AGE", "ENGINE", "NODES"];
  for (const line of renderColumns([head, ...rows])) context.print(line);
}

/** As kubectl does: 12s, 5m, 3h, 2d. */
export function formatAge(ms: number): string {
  const units = [
    ["d", 86_400],
    ["h", 3600],
    ["m", 60],
  ] as const;
  const seconds = Math.max(0, Math.floor(ms / 1000));
  for (const [unit, size] of units) if (seconds >= 2 * size) return `${Math.floor(seconds / size)}${unit}`;
  return `${seconds}s`;
}

/** The status of a playground that must be ready. Throws MeshError NOT_RUNNING. */
export async function requireReady(paths: PlaygroundPaths): Promise<PlaygroundStatus> {
  const status = await currentStatus(paths);
  if (status?.phase === "ready") return status;
  throw new MeshError("NOT_RUNNING", `playground ${paths.name} is ${status?.phase ?? "not running"}`, {
    hint: `start it: isthmus playground up --name ${paths.name}`,
  });
}
