import { describe, expect, it } from "vitest";
import { ApiStatusError, type JsonObject } from "../contract.ts";
import { createRegistry } from "../registry.ts";
import { createObjectStore, type ObjectStore } from "../store/object-store.ts";
import { readListOptions } from "./list-options.ts";
import { listPage } from "./list-page.ts";

const KEY = "/configmaps";
const kind = createRegistry().find("", "v1", "configmaps");
if (kind === undefined) throw new Error("no configmaps");
const configMaps = kind;

function put(store: ObjectStore, namespace: string, name: string, type: "ADDED" | "MODIFIED" | "DELETED" = "ADDED") {
  return store.commit(KEY, type, { metadata: { namespace, name } });
}

function storeWith(...names: readonly string[]): ObjectStore {
  const store = createObjectStore({ firstRevision: 100, history: 20 });
  for (const name of names) put(store, "x", name);
  return store;
}

function page(store: ObjectStore, query: Readonly<Record<string, string>>, namespace = "x") {
  const options = readListOptions(configMaps, "list", new URLSearchParams(query));
  const { objects, metadata } = listPage(store, { kind: configMaps, namespace, options });
  return { names: objects.map(({ name }) => name), ...metadata };
}

function refusal(act: () => unknown): ApiStatusError {
  try {
    act();
  } catch (thrown) {
    if (thrown instanceof ApiStatusError) return thrown;
  }
  throw new Error("nothing was refused");
}

const token = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("listPage", () => {
  it("shows on later pages what was there at the first", () => {
    const store = storeWith("a", "b", "c", "d");
    const first = page(store, { limit: "2" });
    expect(first).toMatchObject({ names: ["a", "b"], resourceVersion: "104", remainingItemCount: 2 });
    put(store, "x", "c", "DELETED");
    put(store, "x", "bb");
    put(store, "y", "d");
    expect(page(store, { continue: first.continue ?? "" })).toEqual({ names: ["c", "d"], resourceVersion: "104" });
    expect(page(store, {}).names).toEqual(["a", "b", "bb", "d"]);
  });

  it("gives the same pages by a label whether looking at it alone would fill them or not", () => {
    const store = createObjectStore();
    for (const name of ["a", "b", "c", "d", "e"])
      store.commit(KEY, "ADDED", { metadata: { namespace: "x", name, labels: { odd: `${"ace".includes(name)}` } } });
    const pages = (limit: number) => {
      const names: unknown[] = [];
      let token: string | undefined = "";
      while (token !== undefined) {
        const next: ReturnType<typeof page> = page(store, {
          limit: `${limit}`,
          labelSelector: "odd=true",
          continue: token,
        });
        names.push(next.names);
        token = next.continue;
      }
      return names;
    };
    expect(pages(1)).toEqual([["a"], ["c"], ["e"]]);
    expect(pages(2)).toEqual([["a", "c"], ["e"]]);
    expect(pages(3)).toEqual([["a", "c", "e"]]);
    expect(pages(4)).toEqual([["a", "c", "e"]]);
  });

  it("cannot tell how many of those that follow a selector takes, nor whether any", () => {
    const store = storeWith("a", "b");
    const first = page(store, { limit: "1", fieldSelector: "metadata.name!=b" });
    expect(first.remainingItemCount).toBeUndefined();
    expect(
      page(store, { limit: "1", fieldSelector: "metadata.name!=b", continue: first.continue ?? "" }).names,
    ).toEqual([]);
  });

  it("knows no limit for a list in any version", () => {
    expect(page(storeWith("a", "b"), { limit: "1", resourceVersion: "0" }).names).toEqual(["a", "b"]);
  });

  it("shows the very state that is asked for", () => {
    const store = storeWith("a", "b", "c");
    const exact = page(store, { resourceVersion: "102", resourceVersionMatch: "Exact" });
    expect(exact).toEqual({ names: ["a", "b"], resourceVersion: "102" });
    expect(page(store, { resourceVersion: "102", limit: "5" }).names).toEqual(["a", "b"]);
    expect(page(store, { resourceVersion: "102" }).names).toEqual(["a", "b", "c"]);
  });

  it("gives a token for the rest in its newest state when the first page's state is forgotten", () => {
    const store = storeWith("a", "b", "c");
    const first = page(store, { limit: "1" });
    for (let n = 0; n < 40; n++) put(store, "y", "other", n === 0 ? "ADDED" : "MODIFIED");
    put(store, "x", "d");
    const error = refusal(() => page(store, { continue: first.continue ?? "" }));
    expect(error).toMatchObject({ code: 410, reason: "Expired" });
    expect(error.message).toMatch(/^The provided continue parameter is too old to display a consistent list result\./);
    const next = String((error.status()["metadata"] as JsonObject)["continue"]);
    expect(page(store, { continue: next, limit: "2" })).toMatchObject({ names: ["b", "c"], resourceVersion: "144" });
    const old = refusal(() => page(store, { resourceVersion: "101", resourceVersionMatch: "Exact" }));
    expect(old.message).toBe("The resourceVersion for the provided list is too old.");
  });

  it("pages through all namespaces in their order", () => {
    const store = storeWith("a");
    put(store, "x-y", "a");
    put(store, "z", "a");
    const seen: unknown[] = [];
    let next: string | undefined = "";
    while (next !== undefined) {
      const { names, ...metadata }: ReturnType<typeof page> = page(store, { limit: "1", continue: next }, "");
      seen.push(...names);
      next = metadata.continue;
    }
    expect(seen).toEqual(["a", "a", "a"]);
  });

  it.each([
    [
      { continue: "bad-token" },
      400,
      "invalid continue token: continue key is not valid: illegal base64 data at input byte 8",
    ],
    [
      { continue: "bm8" },
      400,
      "invalid continue token: continue key is not valid: invalid character 'o' in literal null (expecting 'u')",
    ],
    [{ continue: token({ v: "v0" }) }, 400, "server does not recognize this encoded version v0"],
    [
      { continue: token({ v: "meta.k8s.io/v1" }) },
      400,
      "incorrect encoded start resourceVersion (version meta.k8s.io/v1)",
    ],
    [{ continue: token({ v: "meta.k8s.io/v1", rv: 1, start: "../a" }) }, 400, "continue key is not valid: ../a"],
    [
      { continue: token({ v: "meta.k8s.io/v1", rv: 1, start: "a" }), resourceVersion: "5" },
      400,
      "specifying resource version is not allowed when using continue",
    ],
    [
      { resourceVersion: "-1" },
      400,
      'invalid resource version: resourceVersion: Invalid value: "-1": strconv.ParseUint',
    ],
    [{ resourceVersion: "999" }, 504, "Timeout: Too large resource version: 999, current: 101"],
    [{ limit: "" }, 400, 'strconv.ParseInt: parsing "": invalid syntax'],
    [{ resourceVersionMatch: "Exact", resourceVersion: "0" }, 422, "is forbidden for resourceVersion"],
  ])("refuses %j", (query, code, sentence) => {
    const error = refusal(() => page(storeWith("a"), query));
    expect(error.code).toBe(code);
    expect(error.message).toContain(sentence);
  });
});
