import { describe, expect, it } from "vitest";
import { createObjectStore } from "./object-store.ts";

const named = (name: string, namespace = "a") => ({ metadata: { name, namespace } });

describe("object store", () => {
  it("gives each write the next resource version and lists in order", () => {
    const store = createObjectStore({ firstRevision: 10 });
    store.commit("/pods", "ADDED", named("b"));
    store.commit("/pods", "ADDED", named("a"));
    store.commit("/pods", "ADDED", named("c", "other"));
    expect(store.list("/pods", "a").map((object) => object["metadata"])).toEqual([
      { name: "a", namespace: "a", resourceVersion: "12" },
      { name: "b", namespace: "a", resourceVersion: "11" },
    ]);
    expect(store.revision()).toBe(13);
  });

  it("tells the past of one resource, and that it has forgotten", () => {
    const store = createObjectStore({ firstRevision: 0, history: 4 });
    for (const name of ["a", "b", "c", "d", "e"]) store.commit("/pods", "ADDED", named(name));
    store.commit("/secrets", "ADDED", named("s"));
    expect(store.changesSince("/pods", 4)?.map((change) => change.revision)).toEqual([5]);
    expect(store.changesSince("/pods", 6)).toEqual([]);
    expect(store.changesSince("/pods", 1)).toBeUndefined();
  });

  it("forgets by size too", () => {
    const store = createObjectStore({ firstRevision: 0 });
    const large = "x".repeat(5 * 1024 * 1024);
    for (let write = 1; write <= 5; write++) store.commit("/x", "MODIFIED", { ...named("a"), large });
    expect(store.changesSince("/x", 1)).toBeUndefined();
    expect(store.changesSince("/x", 4)?.map((change) => change.revision)).toEqual([5]);
  });

  it("has no past before its own start", () => {
    expect(createObjectStore({ firstRevision: 100 }).changesSince("/pods", 50)).toBeUndefined();
  });

  it("tells subscribers what was before", () => {
    const store = createObjectStore();
    const seen: string[] = [];
    const stop = store.subscribe(({ type, previous }) => seen.push(`${type} ${previous === undefined}`), "/pods");
    store.commit("/pods", "ADDED", named("a"));
    store.commit("/pods", "MODIFIED", named("a"));
    store.commit("/pods", "DELETED", named("a"));
    stop();
    store.commit("/pods", "ADDED", named("a"));
    expect(seen).toEqual(["ADDED true", "MODIFIED false", "DELETED false"]);
  });
});
