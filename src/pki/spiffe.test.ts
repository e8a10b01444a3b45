import fc from "fast-check";
import { expect, test } from "vitest";
import { buildSpiffeId, parseSpiffeId } from "./spiffe.ts";

const part = fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?$/);

test("an identity is the same there and back", () => {
  fc.assert(
    fc.property(fc.record({ trustDomain: part, namespace: part, serviceAccount: part }), (id) => {
      expect(parseSpiffeId(buildSpiffeId(id))).toEqual(id);
    }),
  );
});

test.each([
  "",
  "spiffe://cluster.local",
  "spiffe://cluster.local/ns/a",
  "spiffe://cluster.local/ns/a/sa/",
  "spiffe://cluster.local/ns//sa/b",
  "spiffe:///ns/a/sa/b",
  "spiffe://cluster.local/ns/a/sa/b/c",
  "spiffe://cluster.local/ns/a/c/sa/b",
  "https://cluster.local/ns/a/sa/b",
  "x spiffe://cluster.local/ns/a/sa/b",
])("%j is no workload's identity", (text) => {
  expect(parseSpiffeId(text)).toBeUndefined();
});
