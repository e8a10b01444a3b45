import { EventEmitter } from "node:events";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { ApiRequest, ApiResponse, JsonObject } from "../contract.ts";
import { createRegistry } from "../registry.ts";
import { createObjectStore, type ObjectStore } from "../store/object-store.ts";
import { readListOptions } from "./list-options.ts";
import { outputForm } from "./output-form.ts";
import { serveWatch } from "./watch-stream.ts";

const KEY = "/configmaps";
const kind = createRegistry().find("", "v1", "configmaps");
if (kind === undefined) throw new Error("no configmaps");
const configMaps = kind;

const named = (name: string, labels: JsonObject = {}): JsonObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { namespace: "x", name, labels },
});

class Response extends EventEmitter {
  statusCode = 0;
  text = "";
  ended = false;
  readonly writableLength = 0;
  setHeader() {}
  flushHeaders() {}
  write(data: Buffer): boolean {
    this.text += data.toString();
    return true;
  }
  end(): void {
    this.ended = true;
  }
  events(): { type: string; object: JsonObject }[] {
    return this.text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));
  }
}

interface Served {
  readonly response: Response;
  /** `ADDED a 101` for each event by now, after those that wait were sent. */
  seen(): Promise<string[]>;
  stop(): void;
}

async function served(store: ObjectStore, query: Record<string, string>): Promise<Served> {
  const options = readListOptions(configMaps, "watch", new URLSearchParams(query));
  const response = new Response();
  const request = new EventEmitter() as unknown as ApiRequest;
  const stop = new AbortController();
  const exchange = { request, response: response as unknown as ApiResponse };
  const place = { kind: configMaps, namespace: "x", form: outputForm("application/json", null, "watch"), options };
  await serveWatch(store, place, exchange, stop.signal);
  return {
    response,
    stop: () => stop.abort(),
    async seen() {
      await new Promise<void>((resolve) => setImmediate(resolve));
      return response.events().map(({ type, object }) => {
        const { name = "", resourceVersion = object["code"] } = (object["metadata"] ?? {}) as JsonObject;
        return `${type} ${String(name)} ${String(resourceVersion)}`;
      });
    },
  };
}

const newStore = () => createObjectStore({ firstRevision: 100, history: 20 });

afterEach(() => void vi.useRealTimers());

describe("serveWatch", () => {
  it("shows what leaves the selection as it was, in the version in which it left", async () => {
    const store = newStore();
    store.commit(KEY, "ADDED", named("a", { app: "b" }));
    const { seen, response, stop } = await served(store, { resourceVersion: "101", labelSelector: "app=b" });
    store.commit(KEY, "MODIFIED", named("a", { app: "c" }));
    expect(await seen()).toEqual(["DELETED a 102"]);
    const [left] = response.events();
    expect(left?.object).toMatchObject({ metadata: { labels: { app: "b" } } });
    stop();
  });

  it("tells where the initial objects end, also to who names no version", async () => {
    const store = newStore();
    store.commit(KEY, "ADDED", named("a"));
    const { seen, response, stop } = await served(store, { allowWatchBookmarks: "true" });
    expect(await seen()).toEqual(["ADDED a 101", "BOOKMARK  101"]);
    const [, end] = response.events();
    expect(end?.object).toMatchObject({ metadata: { annotations: { "k8s.io/initial-events-end": "true" } } });
    stop();
  });

  it("is silent until a version that is still to come", async () => {
    const store = newStore();
    const { seen, stop } = await served(store, { resourceVersion: "101" });
    store.commit(KEY, "ADDED", named("a"));
    store.commit(KEY, "ADDED", named("b"));
    expect(await seen()).toEqual(["ADDED b 102"]);
    stop();
  });

  it("ends with an error when it cannot begin", async () => {
    const store = newStore();
    for (let n = 0; n < 50; n++) store.commit(KEY, n === 0 ? "ADDED" : "MODIFIED", named("a"));
    const old = await served(store, { resourceVersion: "101" });
    expect(await old.seen()).toEqual(["ERROR  410"]);
    expect(old.response.ended).toBe(true);
    const early = await served(store, {
      resourceVersion: "999",
      sendInitialEvents: "true",
      resourceVersionMatch: "NotOlderThan",
    });
    expect(await early.seen()).toEqual(["ERROR  504"]);
    expect(early.response.ended).toBe(true);
  });

  it("says how far it came two seconds before its end", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    const store = newStore();
    const query = { resourceVersion: "100", allowWatchBookmarks: "true", timeoutSeconds: "10" };
    const { seen, response } = await served(store, query);
    store.commit("/pods", "ADDED", { metadata: { namespace: "x", name: "p" } });
    vi.advanceTimersByTime(7_900);
    expect(await seen()).toEqual([]);
    vi.advanceTimersByTime(200);
    expect(await seen()).toEqual(["BOOKMARK  101"]);
    expect(response.ended).toBe(false);
    vi.advanceTimersByTime(2_000);
    expect(response.ended).toBe(true);
  });
});
