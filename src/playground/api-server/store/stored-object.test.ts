import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JsonObject } from "../contract.ts";
import { bytesOf } from "../json-bytes.ts";
import { createObjectStore, type ObjectStore } from "./object-store.ts";

const json = fc.jsonValue() as fc.Arbitrary<JsonObject[string]>;
const field = fc.constantFrom("apiVersion", "kind", "spec", "status", "ä", "7");
const object = fc.tuple(fc.dictionary(field, json), fc.dictionary(fc.string(), json)).map(([first, metadata]) => ({
  ...first,
  metadata: { ...metadata, name: "n", namespace: "a" },
  data: first["spec"] ?? null,
}));
const only = (store: ObjectStore) => {
  const found = store.find("/x", "a", "n");
  if (found === undefined) throw new Error("it is not there");
  return found;
};

describe("stored object", () => {
  it("has the bytes that serialising it anew gives, with and without a tree at hand", () => {
    fc.assert(
      fc.property(object, fc.constantFrom(0, 1e6), (given, treeBytes) => {
        const store = createObjectStore({ firstRevision: 6, treeBytes });
        const kept = store.commit("/x", "ADDED", given);
        const { bytes } = only(store);
        expect(bytes.toString()).toBe(JSON.stringify(kept));
        expect(JSON.stringify(only(store).object())).toBe(bytes.toString());
        expect(bytesOf(only(store).object())).toBe(bytes);
      }),
    );
  });

  it("knows where metadata stands, and what follows apiVersion and kind", () => {
    fc.assert(
      fc.property(object, (given) => {
        const store = createObjectStore();
        const { apiVersion, kind, ...others } = store.commit("/x", "ADDED", given) as JsonObject;
        const stored = only(store);
        const { start, end } = stored.metadataPiece();
        expect(stored.bytes.toString("utf8", start, end)).toBe(JSON.stringify(others["metadata"]));
        if (stored.restStart < 0) return;
        expect([apiVersion, kind]).not.toContain(undefined);
        expect(`{${stored.bytes.toString("utf8", stored.restStart)}`).toBe(JSON.stringify(others));
      }),
    );
  });

  it("finds the rest of what clients send, in either order", () => {
    const store = createObjectStore();
    for (const head of [
      { apiVersion: "v1", kind: "Pod" },
      { kind: "Pod", apiVersion: "v1" },
    ]) {
      store.commit("/x", "MODIFIED", { ...head, metadata: { name: "n", namespace: "a" } });
      expect(only(store).restStart).toBe('{"apiVersion":"v1","kind":"Pod",'.length);
    }
  });

  it("is one tree for all who hold it, also when others push it out", () => {
    const store = createObjectStore({ treeBytes: 1 });
    store.commit("/x", "ADDED", { metadata: { name: "n", namespace: "a" } });
    const held = store.get("/x", "a", "n");
    for (const name of ["b", "c"]) store.commit("/x", "ADDED", { metadata: { name, namespace: "a" } });
    expect(store.get("/x", "a", "n")).toBe(held);
  });
});
