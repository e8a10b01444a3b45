// The columns of every table are those of a real API server, as `npm run generate -- kubernetes-server` recorded them.
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import type { JsonObject } from "../contract.ts";
import { createRegistry } from "../registry.ts";
import { buildTable } from "./build-table.ts";

type Recorded = Readonly<Record<string, readonly JsonObject[]>>;

const file = new URL("../../../../tools/generate/gen/columns.json", import.meta.url);
const recorded = JSON.parse(readFileSync(file, "utf8")) as Recorded;

const rootOf = (group: string, version: string) => (group === "" ? `/api/${version}` : `/apis/${group}/${version}`);

const kinds = createRegistry()
  .kinds()
  .filter(({ verbs }) => verbs.includes("list"));

it.each(kinds.map((kind) => [`${rootOf(kind.group, kind.version)}/${kind.plural}`, kind] as const))(
  "%s",
  (path, kind) => {
    const { columnDefinitions } = buildTable(kind, [], { include: "None", columns: true });
    const own = (columnDefinitions as JsonObject[]).map(({ description: _, ...column }) => column);
    expect(own).toEqual(recorded[path]);
  },
);
