import fc from "fast-check";
import { expect, test } from "vitest";
import {
  buildClusterName,
  buildSniClusterName,
  type ClusterName,
  parseClusterName,
  parseSniClusterName,
} from "./names.ts";

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,12}[a-z0-9])?$/);
const names = fc.record<ClusterName>({
  direction: fc.constantFrom("outbound", "inbound"),
  port: fc.integer({ min: 1, max: 65_535 }),
  subset: fc.oneof(fc.constant(""), label),
  hostname: fc.oneof(
    fc.constant(""),
    fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join(".")),
  ),
});

test("a cluster's name is the same there and back, as such and as SNI", () => {
  fc.assert(
    fc.property(names, (name) => {
      expect(parseClusterName(buildClusterName(name))).toEqual(name);
      expect(parseSniClusterName(buildSniClusterName(name))).toEqual(name);
    }),
  );
});

test("Istio's own forms", () => {
  const name = {
    direction: "outbound",
    port: 5000,
    subset: "v1",
    hostname: "helloworld.sample.svc.cluster.local",
  } as const;
  expect(buildClusterName(name)).toBe("outbound|5000|v1|helloworld.sample.svc.cluster.local");
  expect(buildSniClusterName(name)).toBe("outbound_.5000_.v1_.helloworld.sample.svc.cluster.local");
  expect(buildSniClusterName({ ...name, hostname: "HelloWorld.Example" })).toMatch(/helloworld\.example$/);
});

test.each([
  "",
  "BlackHoleCluster",
  "outbound|0||a",
  "outbound|65536||a",
  "outbound|1.5||a",
  "sideways|80||a",
  "outbound|80|a",
])("%j is none", (text) => {
  expect(parseClusterName(text)).toBeUndefined();
});
