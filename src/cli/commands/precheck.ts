import { Command } from "commander";
import { Kinds, type ResourceType } from "#api/kinds";
import { EXIT_CODES } from "#base/exit-code";
import { errorMessage } from "#base/mesh-error";
import type { KubeClient } from "#kube/kube-client";
import {
  type CliContext,
  type ClusterFlags,
  ExitNow,
  printLine,
  withCluster,
  withClusterFlags,
} from "../cli-context.ts";
import { RENDERED_KINDS } from "../install-objects.ts";
import { parseFormat, printFacts } from "../output/print-facts.ts";
import { fetchKubernetesVersion, requireSupportedKubernetes } from "../supported-kubernetes.ts";

interface Flags extends ClusterFlags {
  readonly output?: string;
}

interface Issue {
  readonly what: string;
}

export function precheckCommand(io: CliContext): Command {
  const command = new Command("precheck")
    .description("tell whether the mesh can be installed in a cluster; changes nothing")
    .option("-o, --output <format>", "table, json or yaml")
    .addHelpText("after", "\nExample:\n  istioctl x precheck --context=cluster1\n");
  withClusterFlags(command).action((flags: Flags) => precheck(flags, io));
  return command;
}

async function precheck(flags: Flags, io: CliContext): Promise<void> {
  const format = parseFormat(flags.output);
  await withCluster(flags, io, async (client, access) => {
    const { gitVersion = "" } = await fetchKubernetesVersion(client);
    const issues = [
      ...(await versionIssues(client, access.contextName)),
      ...(await rightIssues(client, flags.istioNamespace)),
    ];
    if (format !== "table") printFacts({ head: [], rows: [], data: { kubernetes: gitVersion, issues } }, format, io);
    else if (issues.length > 0) for (const { what } of issues) printLine(io.stdout, `✘ ${what}`);
    else
      printLine(
        io.stdout,
        `✔ No issues found when checking the cluster (Kubernetes ${gitVersion}). The mesh is safe to install or upgrade!`,
      );
    if (issues.length > 0) throw new ExitNow(EXIT_CODES.failed);
  });
}

async function versionIssues(client: KubeClient, contextName: string): Promise<Issue[]> {
  try {
    await requireSupportedKubernetes(client, contextName);
    return [];
  } catch (thrown) {
    return [{ what: errorMessage(thrown) }];
  }
}

/** What an installation makes, the one who asks must be allowed to make. */
async function rightIssues(client: KubeClient, namespace: string): Promise<Issue[]> {
  const kinds = [Kinds.Namespace, Kinds.CustomResourceDefinition, ...RENDERED_KINDS];
  const verdicts = await Promise.all(
    kinds.flatMap((kind) => ["create", "patch"].map((verb) => mayDo(client, { kind, verb, namespace }))),
  );
  return verdicts.flat();
}

async function mayDo(
  client: KubeClient,
  { kind, verb, namespace }: { kind: ResourceType; verb: string; namespace: string },
): Promise<Issue[]> {
  const { group, version, plural, namespaced } = kind;
  const resourceAttributes = { group, version, resource: plural, verb, ...(namespaced ? { namespace } : {}) };
  const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
  const review = await client.request<{ status?: { allowed?: boolean; reason?: string } }>("POST", path, {
    body: {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes },
    },
  });
  if (review.status?.allowed === true) return [];
  const where = namespaced ? ` in namespace ${namespace}` : "";
  return [{ what: `the user of this context may not ${verb} ${plural}${group === "" ? "" : `.${group}`}${where}` }];
}
