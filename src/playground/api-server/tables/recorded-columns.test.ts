// The columns of every table and the cells of an object that holds nothing are those of a real API server, as
// `npm run generate -- kubernetes-server` recorded them.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { JsonObject } from "../contract.ts";
import { emptyObject } from "../http/watch-writer.ts";
import { createRegistry } from "../registry.ts";
import { buildTable, recordedPath } from "./build-table.ts";
import { textOfField } from "./column-texts.ts";

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../../../tools/generate/gen/${name}.json`, import.meta.url), "utf8"));

interface RecordedColumn {
  readonly description: string | { readonly field: string };
}

const { columns } = read("columns") as { columns: Readonly<Record<string, readonly RecordedColumn[]>> };
/** What is said of fields is there when set-up could fetch it. */
const inWords = ({ description, ...column }: RecordedColumn) => ({
  ...column,
  description: typeof description === "string" ? description : textOfField(description.field),
});
const bookmarks = read("bookmarks") as Readonly<Record<string, { object: JsonObject; cells: unknown[] }>>;

const OPTIONS = { include: "None", apiVersion: "meta.k8s.io/v1" } as const;

const kinds = createRegistry().kinds();

describe("columns", () => {
  it.each(kinds.filter(({ verbs }) => verbs.includes("list")).map((kind) => [recordedPath(kind), kind] as const))(
    "%s",
    (path, kind) => {
      expect(buildTable(kind, [], { ...OPTIONS, columns: true })["columnDefinitions"]).toEqual(
        columns[path]?.map(inWords),
      );
    },
  );
});

describe("bookmarks", () => {
  it.each(kinds.filter(({ verbs }) => verbs.includes("watch")).map((kind) => [recordedPath(kind), kind] as const))(
    "%s",
    (path, kind) => {
      const empty = emptyObject(kind);
      expect(empty).toEqual(bookmarks[path]?.object);
      const [row] = buildTable(kind, [empty], { ...OPTIONS, columns: false })["rows"] as JsonObject[];
      expect(row?.["cells"]).toEqual(bookmarks[path]?.cells);
    },
  );
});
