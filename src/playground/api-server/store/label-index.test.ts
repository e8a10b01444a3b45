import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createObjectStore, type ObjectStore } from "./object-store.ts";

const KEY = "/x";
const label = fc.constantFrom("app", "tier", "constructor");
const value = fc.constantFrom("", "one", "two", "three");
const place = fc.record({ namespace: fc.constantFrom("a", "b"), name: fc.constantFrom("u", "v", "w", "x") });

type Step = (store: ObjectStore) => void;

const put = fc.tuple(place, fc.dictionary(label, value)).map<Step>(([at, labels]) => (store) => {
  const isNew = store.find(KEY, at.namespace, at.name) === undefined;
  store.commit(KEY, isNew ? "ADDED" : "MODIFIED", { metadata: { ...at, labels } });
});
const remove = place.map<Step>((at) => (store) => {
  if (store.find(KEY, at.namespace, at.name) !== undefined) store.commit(KEY, "DELETED", { metadata: at });
});
const ask = fc
  .tuple(label, fc.array(value), fc.constantFrom(undefined, "a"))
  .map<Step>(([key, values, namespace]) => (store) => {
    const scanned = store
      .stored(KEY, namespace)
      .filter(({ labels }) => Object.hasOwn(labels, key) && values.some((wanted) => wanted === labels[key]));
    expect(store.stored(KEY, namespace, { key, values })).toEqual(scanned);
  });

describe("label index", () => {
  it("finds what looking at every object finds, whenever it is first asked", () => {
    const steps = fc.array(fc.oneof({ weight: 4, arbitrary: put }, remove, ask), { maxLength: 60 });
    fc.assert(
      fc.property(steps, (taken) => {
        const store = createObjectStore();
        for (const step of taken) step(store);
      }),
    );
  });
});
