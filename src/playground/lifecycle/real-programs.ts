// The programs of a Kubernetes release and of a container runtime: tools of the clone find them, and build or fetch them
// once. They are asked as a person would ask them, with their progress on standard error.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { MeshError } from "#base/mesh-error";
import type {
  ContainerTools,
  ControlPlanePrograms,
  Engine,
  NodeImages,
  NodeKind,
  RealNodeParts,
} from "../process-config.ts";
import type { CommandContext } from "./command-context.ts";
import { installationRoot } from "./installation.ts";

export interface EngineOptions {
  readonly engine: Engine;
  readonly nodes: NodeKind;
}

export const ENGINES: readonly Engine[] = ["embedded", "kubernetes"];
export const NODE_KINDS: readonly NodeKind[] = ["isthmus", "kubelet"];

/** Throws MeshError USAGE_NODES for a combination that cannot be. */
export function checkEngine({ engine, nodes }: EngineOptions): void {
  if (nodes === "isthmus" || engine === "kubernetes") return;
  throw new MeshError("USAGE_NODES", `a kubelet needs a real API server, and the engine is ${engine}`, {
    hint: "add --engine kubernetes, or leave --nodes out",
  });
}

/** What `engine` and `nodes` need beyond our own programs. Throws MeshError TOOL_FAILED; the tool has said why. */
export async function findRealPrograms(
  { engine, nodes }: EngineOptions,
  context: CommandContext,
): Promise<{ kubernetes?: ControlPlanePrograms; kubelet?: RealNodeParts }> {
  if (engine === "embedded") return {};
  const real = nodes === "kubelet";
  const names = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];
  const found = await kubernetesPrograms([...names, ...(real ? ["kubelet", "kube-proxy"] : [])], context);
  const kubernetes = {
    etcd: found("etcd"),
    apiServer: found("kube-apiserver"),
    controllerManager: found("kube-controller-manager"),
    scheduler: found("kube-scheduler"),
  };
  if (!real) return { kubernetes };
  const containerTools = await askTool<ContainerTools>("container-tools", ["-o", "json"], context);
  return {
    kubernetes,
    kubelet: {
      programs: { kubelet: found("kubelet"), kubeProxy: found("kube-proxy") },
      containerTools,
      images: await askTool<NodeImages>("image-store", ["-o", "json"], context),
    },
  };
}

async function kubernetesPrograms(names: readonly string[], context: CommandContext) {
  const found = await askTool<Record<string, string>>("kubernetes-programs", [...names, "-o", "json"], context);
  return (name: string): string => {
    const file = found[name];
    if (file === undefined) throw new MeshError("TOOL_FAILED", `tools/kubernetes-programs.mjs tells no ${name}`);
    return file;
  };
}

/** What a program of tools/ prints as JSON. Whatever ends this process ends a build too. */
function askTool<T>(name: string, args: readonly string[], { env }: CommandContext): Promise<T> {
  const file = join(installationRoot(), "tools", `${name}.mjs`);
  return new Promise((resolve, reject) => {
    const child = spawn("setpriv", ["--pdeathsig", "TERM", process.execPath, file, ...args], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...env },
    });
    const output: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
    child.on("error", (cause) => reject(new MeshError("TOOL_FAILED", `${file} cannot be run`, { cause })));
    child.on("close", (code) => {
      if (code === 0) return resolve(JSON.parse(Buffer.concat(output).toString()) as T);
      const hint = `see the lines above, or run it by itself: node ${file} ${args.join(" ")}`;
      reject(new MeshError("TOOL_FAILED", `tools/${name}.mjs could not find or make its programs`, { hint }));
    });
  });
}
