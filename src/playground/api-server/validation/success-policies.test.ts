import { expect, test } from "vitest";
import { checkSuccessPolicy } from "./success-policies.ts";

const spec = (rule: { succeededIndexes?: string; succeededCount?: number }) => ({
  completionMode: "Indexed",
  completions: 5,
  successPolicy: { rules: [rule] },
});
const parsing = (fault: string) => [`error parsing succeededIndexes: ${fault}`];

test.each([
  [{ succeededIndexes: "0,2-4", succeededCount: 4 }, []],
  [{ succeededIndexes: "" }, []],
  [{ succeededIndexes: "5" }, parsing('too large index: "5"')],
  [{ succeededIndexes: "a" }, parsing('cannot convert string to integer for index: "a"')],
  [{ succeededIndexes: "2-1" }, parsing("non-increasing order, previous: 2, current: 1")],
  [{ succeededIndexes: "1,1" }, parsing("non-increasing order, previous: 1, current: 1")],
  [
    { succeededIndexes: "1-2", succeededCount: 3 },
    ["must be less than or equal to 2 (the number of indexes in the specified succeededIndexes field)"],
  ],
  [{ succeededCount: 6 }, ["must be less than or equal to 5 (the number of specified completions)"]],
])("%j", (rule, details) => {
  expect(checkSuccessPolicy("p", spec(rule)).map(({ detail }) => detail)).toEqual(details);
});
