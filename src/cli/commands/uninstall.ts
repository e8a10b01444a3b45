import { Command } from "commander";
import { LABELS } from "#api/constants/labels";
import { Kinds, type ResourceType } from "#api/kinds";
import { objectKey } from "#api/kubernetes/object";
import { EXIT_CODES } from "#base/exit-code";
import { MeshError } from "#base/mesh-error";
import type { KubeClient } from "#kube/kube-client";
import {
  type CliContext,
  type ClusterFlags,
  ExitNow,
  printLine,
  withCluster,
  withClusterFlags,
} from "../cli-context.ts";
import { deleteObject, RENDERED_KINDS } from "../install-objects.ts";
import { type OperatorFlags, readInstall, withOperatorFlags } from "../operator-input.ts";
import { confirm } from "../prompt.ts";

interface Flags extends ClusterFlags, OperatorFlags {
  readonly purge?: boolean;
  readonly skipConfirmation?: boolean;
  readonly dryRun?: boolean;
}

export function uninstallCommand(io: CliContext): Command {
  const command = new Command("uninstall")
    .description("remove the mesh from a cluster; namespaces, cacerts and remote secrets stay")
    .option("--purge", "remove everything that any installation made, CRDs and their objects included")
    .option("-y, --skip-confirmation", "do not ask")
    .option("--dry-run", "print what would be removed, change nothing")
    .option("-v, --verbose", "accepted for compatibility")
    .addHelpText("after", "\nExample:\n  istioctl uninstall --context=cluster1 -y --purge\n");
  withClusterFlags(withOperatorFlags(command)).action((flags: Flags) => uninstall(flags, io));
  return command;
}

async function uninstall(flags: Flags, io: CliContext): Promise<void> {
  const { selector, kinds } = await selection(flags, io);
  await withCluster(flags, io, async (client, access) => {
    const found = await findObjects(client, kinds, selector);
    if (found.length === 0) {
      printLine(io.stdout, "Nothing to remove.");
      return;
    }
    for (const { type, object } of found)
      if (flags.dryRun === true) printLine(io.stdout, `Would remove ${type.kind}/${objectKey(object)}.`);
    if (flags.dryRun === true) return;
    const crds = found.filter(({ type }) => type.kind === Kinds.CustomResourceDefinition.kind).length;
    const rules = crds === 0 ? "" : `, with ${crds} CRDs and every VirtualService, Gateway and other rule of them,`;
    const question = `${found.length} objects of the mesh${rules} will be removed from the cluster of context "${access.contextName}". Proceed?`;
    if (flags.skipConfirmation !== true && !(await confirm(question, io))) {
      printLine(io.stdout, "Cancelled.");
      throw new ExitNow(EXIT_CODES.failed);
    }
    for (const { type, object } of found) {
      await deleteObject(client, type, object);
      printLine(io.stdout, `Removed ${type.kind}/${objectKey(object)}.`);
    }
    printLine(io.stdout, "✔ Uninstall complete");
  });
}

async function selection(flags: Flags, io: CliContext): Promise<{ selector: string; kinds: readonly ResourceType[] }> {
  if (flags.purge === true)
    return { selector: LABELS.component, kinds: [...RENDERED_KINDS, Kinds.CustomResourceDefinition] };
  const components = `${LABELS.component} in (Pilot,IngressGateways,EgressGateways,Cni,Ztunnel)`;
  if (flags.filename !== undefined) {
    const install = await readInstall(flags, io);
    return {
      selector: `${LABELS.owningResource}=${install.operatorName},${LABELS.owningResourceNamespace}=${install.namespace},${components}`,
      kinds: RENDERED_KINDS,
    };
  }
  if (flags.revision !== undefined)
    return { selector: `${LABELS.revision}=${flags.revision},${components}`, kinds: RENDERED_KINDS };
  throw new MeshError("USAGE", "say what to remove: --revision, -f or --purge", {
    hint: "istioctl uninstall --purge removes everything",
  });
}

async function findObjects(client: KubeClient, kinds: readonly ResourceType[], labelSelector: string) {
  const lists = await Promise.all(
    kinds.map(async (type) => ({ type, list: await client.list(type, { labelSelector }) })),
  );
  return lists.flatMap(({ type, list }) => list.items.map((object) => ({ type, object })));
}
