import { accessSync, constants } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** The Envoy that set-up unpacked, or the one of ENVOY_BIN; undefined when there is none to test with. */
export function findEnvoyBinary(): string | undefined {
  const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  const candidates = [process.env["ENVOY_BIN"] ?? "", join(cache, "isthmus", "envoy", "1.40.0", "envoy")];
  return candidates.find((path) => path !== "" && isExecutable(path));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
