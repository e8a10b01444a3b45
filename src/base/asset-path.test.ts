import { existsSync } from "node:fs";
import { isAbsolute } from "node:path";
import { expect, test } from "vitest";
import { assetPath } from "./asset-path.ts";

test("finds an asset of the source tree by its path below src", () => {
  const path = assetPath("playground/node/README.md");
  expect(isAbsolute(path) && existsSync(path)).toBe(true);
});

test("says what is missing and what to do", () => {
  expect(() => assetPath("no/such.sh")).toThrow(/no\/such\.sh is missing from the build: run npm run build/);
});
