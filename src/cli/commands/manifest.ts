import { Command } from "commander";
import { stringify } from "yaml";
import type { KubeObject } from "#api/kubernetes/object";
import { inApplyOrder, renderInstall } from "#install/render-install";
import type { CliContext } from "../cli-context.ts";
import { withClusterFlags } from "../cli-context.ts";
import { type OperatorFlags, readInstall, withOperatorFlags } from "../operator-input.ts";

/** `istioctl manifest generate`: YAML on standard output and nothing else; no cluster is asked. */
export function manifestCommand(io: CliContext): Command {
  const generate = new Command("generate")
    .description("print the objects of an installation as YAML, without asking any cluster")
    .addHelpText("after", "\nExample:\n  istioctl manifest generate -f cluster1.yaml | kubectl apply -f -\n");
  withClusterFlags(withOperatorFlags(generate)).action(async (flags: OperatorFlags) => {
    const components = renderInstall(await readInstall(flags, io));
    io.stdout.write(toYaml(inApplyOrder(components.flatMap((component) => component.objects))));
  });
  return new Command("manifest").description("render installations").addCommand(generate);
}

/** YAML documents, each closed by a line `---`, without aliases. */
export function toYaml(objects: readonly KubeObject[]): string {
  return objects.map((object) => `${stringify(object, { aliasDuplicateObjects: false, lineWidth: 0 })}---\n`).join("");
}
