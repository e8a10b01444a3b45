import { writeFileSync } from "node:fs";
import { Command } from "commander";
import { stringify } from "yaml";
import type { KubeObject } from "#api/kubernetes/object";
import { errorMessage, MeshError } from "#base/mesh-error";
import { inApplyOrder, renderInstall } from "#install/render-install";
import type { CliContext } from "../cli-context.ts";
import { type ClusterFlags, withClusterFlags } from "../cli-context.ts";
import { type OperatorFlags, readInstall, withOperatorFlags } from "../operator-input.ts";

interface Flags extends ClusterFlags, OperatorFlags {
  readonly output?: string;
}

/** `istioctl manifest generate`: YAML on standard output and nothing else; no cluster is asked. */
export function manifestCommand(io: CliContext): Command {
  const generate = new Command("generate")
    .description("print the objects of an installation as YAML, without asking any cluster")
    .option("-o, --output <file>", "write to this file instead of standard output")
    .addHelpText("after", "\nExample:\n  istioctl manifest generate -f cluster1.yaml | kubectl apply -f -\n");
  withClusterFlags(withOperatorFlags(generate)).action(async (flags: Flags) => {
    const components = renderInstall(await readInstall(flags, io));
    const yaml = toYaml(inApplyOrder(components.flatMap((component) => component.objects)));
    if (flags.output === undefined) io.stdout.write(yaml);
    else writeOutput(flags.output, yaml);
  });
  return new Command("manifest")
    .description("render installations")
    .addCommand(generate)
    .addHelpText("after", "\nExample:\n  istioctl manifest generate -f cluster1.yaml | kubectl apply -f -\n");
}

function writeOutput(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (cause) {
    throw new MeshError("FILE_UNWRITABLE", `cannot write ${file}: ${errorMessage(cause)}`, {
      cause,
      hint: "-o names one file, which gets all objects",
    });
  }
}

/** YAML 1.1: kubectl reads an unquoted yes, on or y as true, so texts that look like that must be quoted. */
const YAML_FORM = { version: "1.1", aliasDuplicateObjects: false, lineWidth: 0 } as const;

/** YAML documents, each closed by a line `---`, without aliases. */
export function toYaml(objects: readonly KubeObject[]): string {
  return objects.map((object) => `${stringify(object, YAML_FORM)}---\n`).join("");
}
