import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { decodeKubernetesProtobuf } from "./decode.ts";

// The same `kubectl create ...` commands recorded twice: kubectl 1.33 sends protobuf, kubectl 1.31 sends JSON.
const recorded = JSON.parse(readFileSync(new URL("./kubectl-bodies.gen.json", import.meta.url), "utf8")) as Record<
  string,
  { protobuf: string; json: unknown }
>;

describe("decodeKubernetesProtobuf", () => {
  test.each(Object.entries(recorded))("reads kubectl's %s as its JSON", (_name, { protobuf, json }) => {
    expect(decodeKubernetesProtobuf(Buffer.from(protobuf, "base64"))).toEqual(withoutNulls(json));
  });

  test("refuses a body without the prefix", () => {
    expect(() => decodeKubernetesProtobuf(Buffer.from('{"kind":"Pod"}'))).toThrow(/prefix k8s/);
  });

  test("every cut of a body is refused or read, never a crash of another kind", () => {
    const whole = Buffer.from(recorded["deployment"]?.protobuf ?? "", "base64");
    for (let length = 4; length < whole.length; length += 1) {
      try {
        decodeKubernetesProtobuf(whole.subarray(0, length));
      } catch (thrown) {
        expect(thrown).toHaveProperty("status");
      }
    }
  });

  test("says so when the kind is unknown", () => {
    const meta = Buffer.concat([Buffer.from([0x0a, 2]), Buffer.from("v9"), Buffer.from([0x12, 3]), Buffer.from("Foo")]);
    const body = Buffer.concat([Buffer.from("k8s\0"), Buffer.from([0x0a, meta.length]), meta]);
    expect(() => decodeKubernetesProtobuf(body)).toThrow(/no protobuf form of v9 Foo/);
  });
});

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutNulls(inner)]));
}
