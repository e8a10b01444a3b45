import { readFile } from "node:fs/promises";
import type { Topology } from "../network/topology.ts";
import type { ControlPlanePrograms, Engine, NodeKind, RealNodeParts } from "../process-config.ts";

/** What `up` tells the supervisor: one JSON file, mode 0600, named on its command line. All paths are absolute. */
export interface SupervisorConfig {
  readonly name: string;
  readonly stateDir: string;
  /** Where the topology came from, for people. */
  readonly topologyFile: string;
  readonly topology: Topology;
  /** Makes a common root and puts it into every cluster as Secret istio-system/cacerts. */
  readonly commonRoot: boolean;
  readonly engine: Engine;
  readonly nodes: NodeKind;
  /** Present with the engine `kubernetes`. */
  readonly kubernetes?: ControlPlanePrograms;
  /** Present with nodes `kubelet`. */
  readonly kubelet?: RealNodeParts;
  readonly envoyBinary: string;
  /** How to start the programs of a cluster; the path of their configuration is appended. */
  readonly programs: { readonly cluster: readonly string[]; readonly node: readonly string[] };
  readonly imageCatalogues: readonly string[];
  /** Folder in which layers of images are unpacked once. */
  readonly imageCache: string;
  readonly logLevel: "debug" | "info" | "warn" | "error";
}

/** Reads what a running playground was started with. */
export async function loadSupervisorConfig(file: string): Promise<SupervisorConfig> {
  return JSON.parse(await readFile(file, "utf8")) as SupervisorConfig;
}
