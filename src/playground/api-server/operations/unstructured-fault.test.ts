import { expect, test } from "vitest";
import { unstructuredFault } from "./unstructured-fault.ts";

test.each([
  ["map[string]string", "cannot restore map from string"],
  ["v1.ResourceList", "cannot restore map from string"],
  ["v1.PodSpec", "cannot restore struct from: string"],
])("a text instead of %s", (goType, fault) => {
  const mistyped = [{ path: "spec", expected: "object", value: "", goField: "X.spec", goType }];
  expect(unstructuredFault({ mistyped, malformed: [], unknown: [] })).toBe(fault);
});
