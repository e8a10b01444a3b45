// A golden case is a folder: input and expectations as files that a person can read. UPDATE_GOLDEN=1 writes them anew.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { stringify } from "yaml";

const update = process.env["UPDATE_GOLDEN"] === "1";

/** Names of the case folders below a folder. */
export function goldenCases(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
}

/** Compares documents with `expect/NAME.yaml`; with UPDATE_GOLDEN=1 writes them and deletes files that no one expects. */
export function expectGoldenFolder(caseFolder: string, documents: Readonly<Record<string, unknown>>): void {
  const folder = join(caseFolder, "expect");
  const files = new Map(Object.entries(documents).map(([name, document]) => [`${name}.yaml`, print(document)]));
  if (update) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    for (const [name, text] of files) writeFileSync(join(folder, name), text);
    return;
  }
  for (const [name, text] of files) {
    const path = join(folder, name);
    expect(text, `${path} differs; if that is meant: UPDATE_GOLDEN=1 npx vitest run --project golden`).toBe(read(path));
  }
  expect(readdirSync(folder).sort(), `files in ${folder}`).toEqual([...files.keys()].sort());
}

function print(document: unknown): string {
  const text = stringify(document, { lineWidth: 0, aliasDuplicateObjects: false });
  if (text.trim() === "") throw new Error("an empty expectation says nothing");
  return text;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "(no such file)";
  }
}
