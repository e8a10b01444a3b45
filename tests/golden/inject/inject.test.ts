// Pods before and after injection, read by people: one folder a case, input.yaml in, expect.yaml out.
import { readdirSync, readFileSync } from "node:fs";
import { applyPatch } from "fast-json-patch";
import { describe, test } from "vitest";
import { parse, stringify } from "yaml";
import type { Pod } from "#api/kubernetes/gen/types";
import { injectPod } from "#inject/inject-pod";
import { parseInjectionSettings } from "#inject/injection-settings";
import { expectGolden } from "../../kit/golden.ts";

const here = new URL(".", import.meta.url).pathname;
const shared = parse(readFileSync(`${here}/settings.yaml`, "utf8"));

describe("injection", () => {
  const cases = readdirSync(here, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  test.each(cases.map((entry) => entry.name))("%s", (name) => {
    const input = parse(readFileSync(`${here}/${name}/input.yaml`, "utf8")) as { pod: Pod };
    const settings = parseInjectionSettings({
      config: shared.config,
      values: JSON.stringify(shared.values),
      mesh: stringify(shared.mesh),
    });
    const { patch, why } = injectPod(input.pod, settings);
    const after = applyPatch(structuredClone(input.pod), structuredClone([...patch])).newDocument;
    const outcome = { ...(why === undefined ? {} : { why }), ...(patch.length === 0 ? {} : { pod: after }) };
    expectGolden(`${here}/${name}/expect.yaml`, stringify(outcome, { aliasDuplicateObjects: false, lineWidth: 110 }));
  });
});
