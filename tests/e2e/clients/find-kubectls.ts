import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { realKubernetesFolder } from "../../kit/real-api-server.ts";

const DEBIAN_KUBECTL = join(import.meta.dirname, "..", "..", "..", "tools", "debian-kubectl.mjs");

export interface Kubectl {
  readonly path: string;
  readonly version: string;
  readonly minor: number;
}

/** The oldest that people still have and the newest that is at hand: Debian's, and those of the real programs' cache. */
export async function findKubectls(): Promise<Kubectl[]> {
  const real = realKubernetesFolder();
  const candidates = [
    await printedBy(DEBIAN_KUBECTL),
    ...(real === undefined ? [] : [join(real, "kubectl"), join(real, "..", "1.36.3", "kubectl")]),
  ].filter((path): path is string => path !== undefined && existsSync(path));
  return Promise.all(candidates.map(async (path) => ({ path, ...(await versionOf(path)) })));
}

async function versionOf(path: string): Promise<{ version: string; minor: number }> {
  const { stdout } = await promisify(execFile)(path, ["version", "--client", "-o", "json"]);
  const { clientVersion } = JSON.parse(stdout) as { clientVersion: { gitVersion: string } };
  const version = clientVersion.gitVersion;
  return { version, minor: Number(/^v1\.(\d+)/.exec(version)?.[1]) };
}

/** What a tool printed; undefined when it could not do its work. */
async function printedBy(tool: string): Promise<string | undefined> {
  try {
    return (await promisify(execFile)(process.execPath, [tool])).stdout.trim();
  } catch {
    return undefined;
  }
}
