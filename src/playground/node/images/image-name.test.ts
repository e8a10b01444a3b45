import { expect, test } from "vitest";
import { whyNoImageName } from "./image-name.ts";

test.each([
  ...[
    "busybox",
    "busybox:1.36",
    "a/b/c:v1.2_3-x",
    "localhost:5000/a",
    "REG.example:80/a/b",
    "a__b/c--d",
    "[::1]:5000/a",
  ],
  `a@sha256:${"0".repeat(64)}`,
  `a:b@sha256:${"0".repeat(64)}`,
])("%s is a name", (image) => {
  expect(whyNoImageName(image)).toBeUndefined();
});

test.each([
  ["Foo:Bar", "invalid reference format: repository name (library/Foo) must be lowercase"],
  ["x.test/a/B", "invalid reference format: repository name (a/B) must be lowercase"],
  ["a b", "invalid reference format"],
  ["a:", "invalid reference format"],
  ["a/", "invalid reference format"],
  ["a@sha256:12", "invalid reference format"],
  ["http://a/b", "invalid reference format"],
  ["f".repeat(64), `invalid repository name (${"f".repeat(64)}), cannot specify 64-byte hexadecimal strings`],
])("%s is none", (image, why) => {
  expect(whyNoImageName(image)).toBe(`couldn't parse image name "${image}": ${why}`);
});
