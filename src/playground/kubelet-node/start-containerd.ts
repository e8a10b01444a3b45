import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { MeshError } from "#base/mesh-error";
import { until } from "#base/until";
import { ProgramError } from "../lifecycle/logged-program.ts";
import type { KubeletProcessConfig } from "../process-config.ts";
import type { Containerd } from "./containerd.ts";
import { criAnswers } from "./cri-answers.ts";
import { copyImageStore, holdsLayers, importImages } from "./image-store.ts";
import type { NodePaths } from "./node-paths.ts";
import { adviceOn, NodeProgram } from "./node-program.ts";
import { privateMountsScript } from "./private-mounts.ts";
import { renderCniConfig, renderContainerdConfig } from "./render-configs.ts";
import { renderRegistryHosts } from "./serve-images.ts";

const READY_MS = 120_000;
const BROKEN_RUNTIME = "failed to load plugin io.containerd.grpc.v1.cri";

export interface ContainerdOptions {
  readonly config: KubeletProcessConfig;
  readonly paths: NodePaths;
  readonly sandboxImage: string;
}

/** Starts a containerd that has the images, and waits until it answers. Throws ProgramError or MeshError when it does not. */
export async function startContainerd(options: ContainerdOptions, signal: AbortSignal): Promise<Containerd> {
  const { config, paths, sandboxImage } = options;
  const { containerTools, logsDir, images } = config.realNode;
  const folders = [paths.cniConfigDir, paths.cniDataDir, dirname(paths.registryHosts)];
  for (const dir of folders) mkdirSync(dir, { recursive: true });
  const onDisk = await holdsLayers(config.stateDir);
  const root = onDisk ? paths.containerdRoot : paths.containerdRootInMemory;
  const store = onDisk ? images.store : undefined;
  if (store !== undefined) await copyImageStore(store, root);
  const settings = { root, cniPlugins: containerTools.cni, sandboxImage };
  writeFileSync(paths.containerdConfig, renderContainerdConfig(paths, settings));
  writeFileSync(paths.registryHosts, renderRegistryHosts());
  writeFileSync(join(paths.cniConfigDir, "10-isthmus.conflist"), renderCniConfig(config, paths));
  const env = programEnvironment(config);
  const mounts = ["unshare", "--mount", "--propagation", "private", "sh", "-c", privateMountsScript([config.stateDir])];
  const log = join(logsDir, `${config.clusterName}-containerd.log`);
  const program = new NodeProgram({
    title: `containerd of ${config.clusterName}`,
    command: [...mounts, "containerd-mounts", "containerd", "--config", paths.containerdConfig],
    env,
    log,
  });
  const { pid } = program;
  if (pid === undefined) throw new MeshError("TOOL_MISSING", "unshare cannot be run", { hint: "install util-linux" });
  const enter = (command: readonly string[]) => ["nsenter", `--mount=/proc/${pid}/ns/mnt`, "--wd=/", ...command];
  const containerd: Containerd = { program, socket: paths.containerdSocket, env, enter };
  const answers = () => {
    refuseBrokenRuntime(log);
    return criAnswers(`/proc/${pid}/root${paths.containerdSocket}`);
  };
  const wait = { reason: "containerd answers a kubelet", timeoutMs: READY_MS, intervalMs: 50, signal };
  await Promise.race([until(answers, wait), program.failed]);
  if (store === undefined) await Promise.race([importImages(containerd, images.layout), program.failed]);
  return containerd;
}

/** containerd goes on without the part that kubelets ask: nobody would ever be answered. */
function refuseBrokenRuntime(log: string): void {
  const line = readFileSync(log, "utf8")
    .split("\n")
    .find((each) => each.includes(BROKEN_RUNTIME));
  if (line !== undefined) throw new ProgramError([line, ...adviceOn(log)].join("\n"), log);
}

function programEnvironment({ realNode }: KubeletProcessConfig): Record<string, string> {
  const { bin, lib } = realNode.containerTools;
  return {
    PATH: [...bin, process.env["PATH"] ?? ""].join(delimiter),
    ...(lib === undefined ? {} : { LD_LIBRARY_PATH: lib }),
  };
}
