import { expect, test } from "vitest";
import { errorMessage, MeshError } from "./mesh-error.ts";

test("keeps an error of ours, wraps what others throw", () => {
  const own = new MeshError("A", "a");
  expect(MeshError.from(own, "B")).toBe(own);
  const cause = new Error("theirs");
  expect(MeshError.from(cause, "B")).toMatchObject({ code: "B", message: "theirs", cause });
  expect(MeshError.from("text")).toMatchObject({ code: "INTERNAL", message: "text" });
});

test("is one line with its cause told once, and never a stack", () => {
  const refused = new Error("connect ECONNREFUSED");
  expect(errorMessage(new MeshError("A", "no answer", { cause: refused }))).toBe("no answer: connect ECONNREFUSED");
  expect(errorMessage(new MeshError("A", "no answer: connect ECONNREFUSED", { cause: refused }))).toBe(
    "no answer: connect ECONNREFUSED",
  );
  expect(errorMessage(42)).toBe("42");
});
