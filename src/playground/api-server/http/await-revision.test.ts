import { describe, expect, it } from "vitest";
import { tooLargeVersion } from "../api-errors.ts";
import type { Change } from "../store/change.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { awaitRevision, isStillToCome } from "./await-revision.ts";

/** A store that has got as far as it is told. */
function storeAt(revision: number) {
  const listeners = new Set<(change: Change) => void>();
  let now = revision;
  const store = {
    revision: () => now,
    subscribe(listener: (change: Change) => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  } as unknown as ObjectStore;
  const reach = (next: number) => {
    now = next;
    for (const listener of listeners) listener({ revision: next } as Change);
  };
  return { store, reach, listeners };
}

describe("awaitRevision", () => {
  it("does not wait for what is there", async () => {
    await awaitRevision(storeAt(5).store, 5, new AbortController().signal);
  });

  it("waits for what comes, and listens no longer then", async () => {
    const { store, reach, listeners } = storeAt(5);
    const waiting = awaitRevision(store, 7, new AbortController().signal);
    reach(6);
    expect(listeners.size).toBe(1);
    reach(7);
    await waiting;
    expect(listeners.size).toBe(0);
  });

  it("ends when the server stops", async () => {
    const { store, listeners } = storeAt(5);
    const stop = new AbortController();
    const waiting = awaitRevision(store, 7, stop.signal);
    stop.abort();
    await waiting;
    expect(listeners.size).toBe(0);
  });
});

describe("isStillToCome", () => {
  it("knows a refusal after which the client shall ask again", () => {
    expect(isStillToCome(tooLargeVersion(7, 5, true))).toBe(true);
    expect(isStillToCome(tooLargeVersion(7, 5, false))).toBe(false);
    expect(isStillToCome(new Error("other"))).toBe(false);
  });
});
