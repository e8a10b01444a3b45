import { Command } from "commander";
import { ISTHMUS_VERSION } from "#api/constants/names";
import { EXIT_CODES } from "#base/exit-code";
import { MeshError } from "#base/mesh-error";
import { inApplyOrder, type RenderedComponent, renderInstall } from "#install/render-install";
import { type ResolvedInstall, resolveInstall } from "#install/resolve-install";
import type { KubeClient } from "#kube/kube-client";
import {
  type CliContext,
  type ClusterFlags,
  ExitNow,
  printLine,
  withCluster,
  withClusterFlags,
} from "../cli-context.ts";
import { applyComponent, ensureNamespace, pruneStale, waitReady } from "../install-objects.ts";
import { installedImages } from "../installed-images.ts";
import { type OperatorFlags, readInstallInputs, withOperatorFlags } from "../operator-input.ts";
import { confirm } from "../prompt.ts";
import { requireSupportedKubernetes } from "../supported-kubernetes.ts";
import { toYaml } from "./manifest.ts";

interface Flags extends ClusterFlags, OperatorFlags {
  readonly skipConfirmation?: boolean;
  readonly readinessTimeout: string;
  readonly dryRun?: boolean;
}

/** What a person reads when a component is there, in the order in which they are installed. */
const DONE_LINES: Record<RenderedComponent["component"], string> = {
  Base: "Istio core installed",
  Pilot: "Istiod installed",
  IngressGateways: "Ingress gateways installed",
  EgressGateways: "Egress gateways installed",
};

export function installCommand(io: CliContext): Command {
  const command = new Command("install")
    .alias("apply")
    .description("install or change the mesh in a cluster; running it again changes nothing")
    .option("-y, --skip-confirmation", "do not ask")
    .option("--readiness-timeout <duration>", "how long to wait for each component, such as 300s or 5m", "300s")
    .option("--dry-run", "print what would be applied, change nothing")
    .option("--verify", "accepted for compatibility: readiness is always awaited")
    .addHelpText(
      "after",
      "\nExample:\n  istioctl install --context=cluster1 -f cluster1.yaml\n  istioctl install -y --set profile=demo\n",
    );
  withClusterFlags(withOperatorFlags(command)).action((flags: Flags) => install(flags, io));
  return command;
}

async function install(flags: Flags, io: CliContext): Promise<void> {
  const inputs = await readInstallInputs(flags, io);
  const resolved = resolveInstall(inputs);
  const components = renderInstall(resolved);
  const timeoutMs = parseDuration(flags.readinessTimeout);
  if (flags.dryRun === true) {
    io.stdout.write(toYaml(inApplyOrder(components.flatMap((component) => component.objects))));
    return;
  }
  await withCluster(flags, io, async (client, access) => {
    const names = components.map((component) => component.name).join(", ");
    const question = `This will install Isthmus ${ISTHMUS_VERSION} profile "${resolved.profile}" [${names}] into the cluster of context "${access.contextName}". Proceed?`;
    if (flags.skipConfirmation !== true && !(await confirm(question, io))) {
      printLine(io.stdout, "Cancelled.");
      if (flags.filename?.includes("-"))
        printLine(io.stderr, "standard input held the file: pass -y to install from it");
      throw new ExitNow(EXIT_CODES.failed);
    }
    await requireSupportedKubernetes(client, access.contextName);
    const final = resolveInstall({ ...inputs, installed: await installedImages(client, resolved) });
    await installComponents(client, final, renderInstall(final), { io, timeoutMs });
  });
}

interface Progress {
  readonly io: CliContext;
  readonly timeoutMs: number;
}

async function installComponents(
  client: KubeClient,
  resolved: ResolvedInstall,
  components: readonly RenderedComponent[],
  progress: Progress,
): Promise<void> {
  const { io, timeoutMs } = progress;
  await ensureNamespace(client, resolved);
  const isBase = (component: RenderedComponent) => component.component === "Base";
  for (const base of components.filter(isBase)) await applyComponent(client, base);
  // Control plane and gateways wait for each other by themselves; what is stale goes while they start.
  await Promise.all(components.filter((component) => !isBase(component)).map((one) => applyComponent(client, one)));
  const pruning = pruneStale(
    client,
    resolved,
    components.flatMap((component) => component.objects),
  );
  pruning.catch(() => {}); // awaited below; a component that does not become ready is the first thing to tell
  for (const kind of Object.keys(DONE_LINES) as RenderedComponent["component"][]) {
    const same = components.filter((component) => component.component === kind);
    for (const component of same) {
      if (component.objects.some((object) => object.kind === "Deployment"))
        printLine(io.stderr, `  waiting for ${component.name} ...`);
      await waitReady(client, component, timeoutMs);
    }
    if (same.length > 0) printLine(io.stdout, `✔ ${DONE_LINES[kind]}`);
  }
  for (const object of await pruning) printLine(io.stdout, `- Removed ${object}`);
  printLine(io.stdout, "✔ Installation complete");
}

/** `300s`, `5m`, `1h30m`, `500ms` in milliseconds. Throws MeshError USAGE. */
export function parseDuration(text: string): number {
  const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text))
    throw new MeshError("USAGE", `${JSON.stringify(text)} is not a duration`, { hint: "write 300s, 5m or 1h30m" });
  const parts = text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g);
  return [...parts].reduce((sum, [, count, unit = ""]) => sum + Number(count) * (units[unit] ?? 0), 0);
}
