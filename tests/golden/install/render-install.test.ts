// What installations render, case by case: `flags.txt` and `input.yaml` in, objects out, as `manifest generate` prints
// them. The CRDs are the same in every case: their names stand for them.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { expectGolden } from "../../kit/golden.ts";
import { goldenCases } from "../../kit/golden-folder.ts";
import { runCli } from "../../kit/run-cli.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");

function argsOf(folder: string): string[] {
  const flags = join(folder, "flags.txt");
  const input = join(folder, "input.yaml");
  const given = existsSync(flags) ? readFileSync(flags, "utf8").split("\n").filter((line) => line !== "") : [];
  return ["manifest", "generate", ...(existsSync(input) ? ["-f", input] : []), ...given];
}

function withoutCrds(yaml: string): string {
  const documents = yaml.split(/^---\n/m).filter((document) => document !== "");
  return documents
    .map((document) => {
      if (!document.includes("\nkind: CustomResourceDefinition\n")) return document;
      const { metadata } = parseAllDocuments(document)[0]?.toJS() as { metadata: { name: string } };
      return `# CustomResourceDefinition ${metadata.name}\n`;
    })
    .join("---\n");
}

describe("installations", () => {
  const MESH = { MESH: "mesh1", CLUSTER: "cluster1", NETWORK: "network1" };
  test.each([
    ["east-west-gateway-by-environment", MESH, []],
    ["east-west-gateway-by-flags", {}, ["--network", "network1"]],
    ["east-west-gateway-single-cluster", {}, ["--single-cluster", "--revision", "canary"]],
  ])("the input of %s is what the script prints", (name, environment, flags) => {
    const script = join(ROOT, "samples", "multicluster", "gen-eastwest-gateway.sh");
    const printed = execFileSync(script, flags, { env: { PATH: process.env["PATH"], ...environment } }).toString();
    expectGolden(join(import.meta.dirname, name, "input.yaml"), printed);
  });

  test.each(goldenCases(import.meta.dirname))("%s", async (name) => {
    const folder = join(import.meta.dirname, name);
    const answer = await runCli(argsOf(folder));
    expect(answer).toMatchObject({ exitCode: 0, stderr: "" });
    expectGolden(join(folder, "expect.yaml"), withoutCrds(answer.stdout));
  });

  test("every object says who owns it, and no name appears twice", async () => {
    const { stdout } = await runCli(["manifest", "generate", "--set", "profile=demo"]);
    const objects = parseAllDocuments(stdout).flatMap((document) => (document.toJS() === null ? [] : [document.toJS()]));
    const LABELS = [
      "install.operator.istio.io/owning-resource",
      "install.operator.istio.io/owning-resource-namespace",
      "operator.istio.io/component",
      "operator.istio.io/managed",
      "operator.istio.io/version",
      "istio.io/rev",
    ];
    for (const { kind, metadata } of objects)
      expect(Object.keys(metadata.labels), `${kind} ${metadata.name}`).toEqual(expect.arrayContaining(LABELS));
    const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`);
    expect(new Set(names).size).toBe(names.length);
  });
});
