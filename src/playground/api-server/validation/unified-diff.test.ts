import { expect, it } from "vitest";
import { unifiedDiff } from "./unified-diff.ts";

const lines = (count: number) => Array.from({ length: count }, (_, index) => `line ${index}`);

it("shows a change with three lines around it", () => {
  const changed = lines(10);
  changed[5] = "other";
  expect(unifiedDiff(lines(10), changed)).toBe(
    "@@ -3,7 +3,7 @@\n line 2\n line 3\n line 4\n-line 5\n+other\n line 6\n line 7\n line 8\n",
  );
});

it("shows changes far from each other apart, and near ones together", () => {
  const changed = lines(40);
  changed.splice(30, 1);
  changed[3] = "other";
  changed[8] = "another";
  const parts = unifiedDiff(lines(40), changed).match(/@@ .* @@/g);
  expect(parts).toEqual(["@@ -1,12 +1,12 @@", "@@ -28,7 +28,6 @@"]);
});

it("says nothing of equal texts", () => {
  expect(unifiedDiff(lines(5), lines(5))).toBe("");
});

it("begins at the first line", () => {
  expect(unifiedDiff([], ["x"])).toBe("@@ -0,0 +1 @@\n+x\n");
});
