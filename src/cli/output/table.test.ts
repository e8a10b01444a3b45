import { describe, expect, test } from "vitest";
import { renderTable } from "./table.ts";

describe("renderTable", () => {
  test("columns as wide as their widest cell, five blanks between, none at the end", () => {
    expect(
      renderTable(
        ["NAME", "X"],
        [
          ["a", "1"],
          ["longer", ""],
        ],
      ),
    ).toBe(["NAME       X", "a          1", "longer"].join("\n"));
  });

  test("without rows the head stays", () => {
    expect(renderTable(["NAME", "X"], [])).toBe("NAME     X");
  });

  test("no colours, whatever the terminal", () => {
    expect(renderTable(["A"], [["b"]])).not.toContain("\u001b");
  });
});
