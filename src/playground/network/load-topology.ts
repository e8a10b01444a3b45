// The one door from a file to a topology: everything wrong with it is told at once, before anything is touched.
import { readFile } from "node:fs/promises";
import { LineCounter, parseDocument } from "yaml";
import { MeshError } from "#base/mesh-error";
import type { Topology } from "./topology.ts";
import { validateTopology } from "./validate-topology.ts";

/** Reads and validates a topology file. Throws MeshError TOPOLOGY_UNREADABLE or TOPOLOGY_INVALID. */
export async function loadTopology(file: string): Promise<Topology> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (thrown) {
    throw new MeshError("TOPOLOGY_UNREADABLE", `cannot read the topology ${file}`, {
      cause: thrown,
      hint: "give --topology the path of a YAML file such as samples/playground/two-clusters-two-networks.yaml",
    });
  }
  return parseTopology(text, file);
}

/** Parses YAML or JSON text. `file` is named in errors. Throws MeshError TOPOLOGY_INVALID naming every violation. */
export function parseTopology(text: string, file: string): Topology {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter });
  const [broken] = document.errors;
  if (broken !== undefined) {
    const { line, col } = lineCounter.linePos(broken.pos[0]);
    throw new MeshError("TOPOLOGY_INVALID", `${file}:${line}:${col}: not YAML: ${broken.message.split("\n")[0]}`);
  }
  const value: unknown = document.toJS();
  const { topology, violations } = validateTopology(value);
  if (topology === undefined) {
    const lines = violations.map((violation) => `${file}: ${violation.path}: ${violation.message}`);
    throw new MeshError("TOPOLOGY_INVALID", lines.join("\n"), { hint: "correct the file; nothing was touched" });
  }
  return topology;
}
