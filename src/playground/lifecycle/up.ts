import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { EXIT_CODES, type ExitCode } from "#base/exit-code";
import { MeshError } from "#base/mesh-error";
import { cgroupMounts } from "../kubelet-node/cgroup-folders.ts";
import { loadTopology } from "../network/load-topology.ts";
import { imageCacheFolder, loadImageCatalogue } from "../node/images/image-catalogue.ts";
import { programPaths } from "../node/program-paths.ts";
import type { CommandContext, NameOption } from "./command-context.ts";
import { followStart } from "./follow-start.ts";
import { holdForeground } from "./hold-foreground.ts";
import { findEnvoy, installationRoot, toolPath } from "./installation.ts";
import { collectLeftovers } from "./leftovers.ts";
import { type HeldLock, holdLock, isLocked, runLock, startLock } from "./lock.ts";
import { type Environment, type PlaygroundPaths, playgroundPaths } from "./playground-paths.ts";
import { readStatus } from "./playground-status.ts";
import { checkMachine } from "./preflight.ts";
import { checkEngine, type EngineOptions, findRealPrograms } from "./real-programs.ts";
import { lostHint, lostSentence } from "./show-status.ts";
import { startGuard } from "./start-guard.ts";
import { listenForStop } from "./stop-supervisor.ts";
import { loadSupervisorConfig, type SupervisorConfig } from "./supervisor-config.ts";

export interface UpOptions extends NameOption, EngineOptions {
  readonly topology?: string;
  readonly detach?: boolean;
  readonly commonRoot: boolean;
  /** Image catalogues of the person's own; their entries go before ours, later files before earlier ones. */
  readonly images?: readonly string[];
}

const DEFAULT_TOPOLOGY = join("samples", "playground", "two-clusters-two-networks.yaml");
const IMAGE_CATALOGUES = [join("samples", "playground", "images.yaml")];

/** Boots a playground and returns when it is ready (`detach`) or when it is down again. */
export async function up(options: UpOptions, context: CommandContext): Promise<ExitCode> {
  checkEngine(options);
  const paths = playgroundPaths(options.name, context.env);
  const config = await planConfig(options, paths, context.env);
  const lock = await holdLock(startLock(paths));
  if (lock === undefined) {
    throw new MeshError("ALREADY_STARTING", `another command is starting playground ${paths.name} right now`, {
      hint: `look at it: isthmus playground status --name ${paths.name}`,
    });
  }
  try {
    if (await isLocked(runLock(paths))) return await alreadyUp(paths, config, context);
    return await bootPlayground(options, { paths, config, lock }, context);
  } finally {
    await lock.release();
  }
}

interface Boot {
  readonly paths: PlaygroundPaths;
  readonly config: Planned;
  readonly lock: HeldLock;
}

type Planned = Omit<SupervisorConfig, "programs" | "envoyBinary" | "kubernetes" | "kubelet">;

const CLUSTER_PROGRAMS = { embedded: "playground-cluster", kubernetes: "playground-kubernetes" } as const;
const NODE_PROGRAMS = { isthmus: "playground-node", kubelet: "playground-kubelet" } as const;

async function planConfig(options: UpOptions, paths: PlaygroundPaths, env: Environment): Promise<Planned> {
  const root = installationRoot();
  const topologyFile = options.topology === undefined ? join(root, DEFAULT_TOPOLOGY) : resolve(options.topology);
  return {
    name: paths.name,
    stateDir: paths.stateDir,
    topologyFile,
    topology: await loadTopology(topologyFile),
    commonRoot: options.commonRoot,
    engine: options.engine,
    nodes: options.nodes,
    imageCatalogues: imageCatalogues(root, options.images ?? []),
    imageCache: imageCacheFolder(env),
    logLevel: "info",
  };
}

/** Ours, then the person's own. Throws MeshError BAD_IMAGE_CATALOGUE for one that is not there. */
function imageCatalogues(root: string, own: readonly string[]): readonly string[] {
  const files = own.map((file) => resolve(file));
  const missing = files.find((file) => !existsSync(file));
  if (missing !== undefined) {
    throw new MeshError("BAD_IMAGE_CATALOGUE", `image catalogue ${missing} does not exist`, {
      hint: "check the path given to --images",
    });
  }
  return [...IMAGE_CATALOGUES.map((file) => join(root, file)).filter((file) => existsSync(file)), ...files];
}

/** A node would refuse them too, but only once everything else stands. Throws MeshError BAD_IMAGE_CATALOGUE. */
function checkImages({ imageCatalogues: files, imageCache }: Planned, envoyBinary: string): void {
  loadImageCatalogue(files, programPaths(envoyBinary).placeholders, imageCache);
}

/** Healthy and as asked for: that is what the person wanted. Anything else is not. */
async function alreadyUp(paths: PlaygroundPaths, config: Planned, context: CommandContext): Promise<ExitCode> {
  if (!existsSync(paths.configFile))
    throw new MeshError("ALREADY_RUNNING", lostSentence(paths), { hint: lostHint(paths) });
  const [status, running] = await Promise.all([readStatus(paths), loadSupervisorConfig(paths.configFile)]);
  const hint = `take it down first: isthmus playground down --name ${paths.name}`;
  if (status?.phase !== "ready") {
    throw new MeshError("ALREADY_RUNNING", `playground ${paths.name} is ${status?.phase ?? "starting"}`, { hint });
  }
  if (!isDeepStrictEqual(running.topology, config.topology) || running.commonRoot !== config.commonRoot) {
    const message = `playground ${paths.name} is up, but with another topology or root (${running.topologyFile})`;
    throw new MeshError("ALREADY_RUNNING", message, { hint });
  }
  if (!isDeepStrictEqual(running.imageCatalogues, config.imageCatalogues)) {
    const message = `playground ${paths.name} is up, but with other image catalogues (${running.imageCatalogues.join(", ")})`;
    throw new MeshError("ALREADY_RUNNING", message, { hint });
  }
  if (running.engine !== config.engine || running.nodes !== config.nodes) {
    const message = `playground ${paths.name} is up, but with --engine ${running.engine} --nodes ${running.nodes}`;
    throw new MeshError("ALREADY_RUNNING", message, { hint });
  }
  context.tell(`playground ${paths.name} is up already`);
  return EXIT_CODES.ok;
}

async function bootPlayground(options: UpOptions, boot: Boot, context: CommandContext): Promise<ExitCode> {
  const { paths, lock } = boot;
  await checkMachine(boot.config.topology, toolPath(context.env));
  const envoyBinary = findEnvoy(context.env);
  if (boot.config.nodes === "isthmus") checkImages(boot.config, envoyBinary);
  const config: SupervisorConfig = {
    ...boot.config,
    programs: {
      cluster: context.program(CLUSTER_PROGRAMS[boot.config.engine]),
      node: context.program(NODE_PROGRAMS[boot.config.nodes]),
    },
    ...(await findRealPrograms(boot.config, context)),
    envoyBinary,
  };
  const supervisor = context.program("playground-supervisor");
  await collectLeftovers(paths);
  await mkdir(paths.logsDir, { recursive: true, mode: 0o700 });
  await writeFile(paths.configFile, `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o600 });
  const detached = options.detach === true;
  const command = [...supervisor, paths.configFile];
  const guard = startGuard({ command, paths, detached, env: context.env, cgroups: cgroupMounts().length > 0 });
  const stop = listenForStop(paths, guard, context);
  try {
    const ready = await followStart(paths, guard, stop, context);
    if (!ready) return EXIT_CODES.failed;
    await lock.release();
    if (detached) return EXIT_CODES.ok;
    return await holdForeground(paths, guard, context);
  } finally {
    stop.off();
  }
}
