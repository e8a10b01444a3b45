import type { StoredObject } from "./stored-object.ts";

type Owners = StoredObject | Set<StoredObject>;

/**
 * The objects of a resource by the value of a label. Only labels that somebody has selected by are followed: the first
 * who asks pays for it.
 */
export class LabelIndex {
  readonly #byKey = new Map<string, Map<string, Owners>>();

  /** Those that carry one of the values, in no order. `all` is read when the label is new here. */
  find(key: string, values: readonly string[], all: Iterable<StoredObject>): StoredObject[] {
    let byValue = this.#byKey.get(key);
    if (byValue === undefined) {
      byValue = new Map();
      this.#byKey.set(key, byValue);
      for (const object of all) addTo(byValue, labelOf(object, key), object);
    }
    const found: StoredObject[] = [];
    for (const value of new Set(values)) {
      const owners = byValue.get(value);
      if (owners instanceof Set) found.push(...owners);
      else if (owners !== undefined) found.push(owners);
    }
    return found;
  }

  replace(before: StoredObject | undefined, now: StoredObject | undefined): void {
    for (const [key, byValue] of this.#byKey) {
      if (before !== undefined) removeFrom(byValue, labelOf(before, key), before);
      if (now !== undefined) addTo(byValue, labelOf(now, key), now);
    }
  }
}

function labelOf({ labels }: StoredObject, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? String(labels[key]) : undefined;
}

/** Most labels that are selected by name one object: a set only where there are more. */
function addTo(byValue: Map<string, Owners>, value: string | undefined, object: StoredObject): void {
  if (value === undefined) return;
  const owners = byValue.get(value);
  if (owners === undefined) byValue.set(value, object);
  else if (owners instanceof Set) owners.add(object);
  else byValue.set(value, new Set([owners, object]));
}

function removeFrom(byValue: Map<string, Owners>, value: string | undefined, object: StoredObject): void {
  if (value === undefined) return;
  const owners = byValue.get(value);
  if (owners instanceof Set) {
    owners.delete(object);
    if (owners.size === 0) byValue.delete(value);
  } else if (owners === object) byValue.delete(value);
}
