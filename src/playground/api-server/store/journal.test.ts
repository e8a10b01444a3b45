import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { silentLogger } from "#base/logger";
import { until } from "#base/until";
import { openJournal } from "./journal.ts";
import { createObjectStore, type ObjectStore } from "./object-store.ts";

const named = (name: string, data = "") => ({ metadata: { name, namespace: "a" }, data });
const state = (store: ObjectStore) => ({ revision: store.revision(), pods: store.list("/pods") });

describe("journal", () => {
  let folder: string;
  const stores: ObjectStore[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "isthmus-journal-"));
  });
  afterEach(() => {
    for (const store of stores.splice(0)) store.close();
    rmSync(folder, { recursive: true });
  });
  const openStore = (options: { longBytes?: number; history?: number } = {}) => {
    const journal = openJournal({ folder, logger: silentLogger(), ...options });
    const store = createObjectStore({
      journal,
      ...(options.history === undefined ? {} : { history: options.history }),
    });
    stores.push(store);
    return store;
  };
  const file = (name: string) => join(folder, name);

  it("gives objects, revision and the past to the next life", () => {
    const store = openStore();
    store.commit("/pods", "ADDED", named("x"));
    store.commit("/pods", "ADDED", named("y"));
    const middle = store.revision();
    store.commit("/pods", "MODIFIED", named("x", "ä new\nline"));
    store.commit("/pods", "DELETED", named("y"));
    const next = openStore();
    expect(state(next)).toEqual(state(store));
    expect(next.changesSince("/pods", middle)).toEqual(store.changesSince("/pods", middle));
    expect(next.changesSince("/pods", middle - 5)).toBeUndefined();
  });

  it("tells the new life's listeners what the former left", () => {
    openStore().commit("/pods", "ADDED", named("x"));
    const store = openStore();
    const seen: unknown[] = [];
    store.subscribe(({ type, object }) => seen.push([type, object]), "/pods");
    store.announce();
    expect(seen).toEqual([["ADDED", store.get("/pods", "a", "x")]]);
  });

  it("keeps every whole record, wherever the last write was cut off", () => {
    const store = openStore();
    const sizes: number[] = [];
    const states: unknown[] = [];
    for (const name of ["x", "y", "x"]) {
      store.commit("/pods", store.get("/pods", "a", name) === undefined ? "ADDED" : "MODIFIED", named(name, "v"));
      sizes.push(readFileSync(file("objects-1.log")).length);
      states.push(store.list("/pods"));
    }
    store.close();
    const bytes = readFileSync(file("objects-1.log"));
    for (let cut = bytes.length; cut >= (sizes[0] ?? 0); cut--) {
      writeFileSync(file("objects-1.log"), bytes.subarray(0, cut));
      const whole = sizes.filter((size) => size <= cut).length;
      const next = openStore();
      expect(next.list("/pods")).toEqual(states[whole - 1]);
      // And the torn end is not in the way of what comes next.
      next.commit("/pods", "ADDED", named("z"));
      next.close();
      expect(openStore().get("/pods", "a", "z")).toBeDefined();
    }
  });

  it("refuses damage before the end, and names file and place", () => {
    const store = openStore();
    store.commit("/pods", "ADDED", named("x", "first"));
    store.commit("/pods", "ADDED", named("y", "second"));
    store.close();
    const bytes = readFileSync(file("objects-1.log"));
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    writeFileSync(file("objects-1.log"), bytes);
    expect(() => openStore()).toThrow(/objects-1.log: the record at byte 0 has a wrong checksum/);
  });

  it("drops a last record with a wrong checksum: nobody was told of it", () => {
    const store = openStore();
    store.commit("/pods", "ADDED", named("x"));
    const before = readFileSync(file("objects-1.log")).length;
    store.commit("/pods", "ADDED", named("y"));
    store.close();
    const size = readFileSync(file("objects-1.log")).length;
    truncateSync(file("objects-1.log"), size - 3);
    appendFileSync(file("objects-1.log"), "???");
    expect(openStore().list("/pods")).toHaveLength(1);
    expect(readFileSync(file("objects-1.log")).length).toBe(before);
  });

  it("puts a snapshot in the place of a long log while writes go on", async () => {
    const store = openStore({ longBytes: 20_000, history: 10 });
    for (let write = 0; write < 2000; write++) {
      const name = `p${write % 50}`;
      store.commit("/pods", write < 50 ? "ADDED" : "MODIFIED", named(name, `${write}`.repeat(10)));
      if (write % 100 === 99) await new Promise(setImmediate);
    }
    const compacted = () => readdirSync(folder).some((name) => name.endsWith(".snapshot"));
    await until(compacted, { reason: "a snapshot is written", timeoutMs: 20_000, intervalMs: 5 });
    store.commit("/pods", "DELETED", named("p7"));
    expect(state(openStore())).toEqual(state(store));
    store.close();
    const next = openStore();
    expect(state(next)).toEqual(state(store));
    expect(next.get("/pods", "a", "p7")).toBeUndefined();
    expect(readdirSync(folder).filter((name) => name.endsWith(".unfinished"))).toEqual([]);
  });

  it("needs no snapshot that was not finished", () => {
    const store = openStore();
    store.commit("/pods", "ADDED", named("x"));
    store.close();
    writeFileSync(file("objects-2.log"), "");
    writeFileSync(file("objects-2.snapshot.unfinished"), "half a snap");
    expect(openStore().list("/pods")).toHaveLength(1);
    expect(readdirSync(folder).sort()).toEqual(["objects-1.log", "objects-2.log"]);
  });
});
