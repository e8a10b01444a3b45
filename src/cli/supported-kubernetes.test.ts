import { expect, test } from "vitest";
import { isSupportedKubernetes } from "./supported-kubernetes.ts";

test.each([
  [{ major: "1", minor: "29", gitVersion: "v1.29.0" }, true],
  [{ major: "1", minor: "29+", gitVersion: "v1.29.8-provider.1" }, true],
  [{ major: "1", minor: "36" }, true],
  [{ major: "2", minor: "0" }, true],
  [{ gitVersion: "v1.35.4" }, true],
  [{ major: "", minor: "", gitVersion: "v1.30.1" }, true],
  [{}, true],
  [{ major: "1", minor: "28+", gitVersion: "v1.28.9-provider.1" }, false],
  [{ major: "1", minor: "9" }, false],
  [{ gitVersion: "v1.20.2" }, false],
])("%j: %s", (version, supported) => {
  expect(isSupportedKubernetes(version)).toBe(supported);
});
