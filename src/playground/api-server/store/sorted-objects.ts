// Objects in the order of `namespace/name`, as lists show them; kept in order by one step for each write.
import type { StoredObject } from "./stored-object.ts";

/** The first index whose path is not before `path`. */
function position(sorted: readonly StoredObject[], path: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle]?.path ?? "") < path) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Takes the place of the object of the same path. */
export function putSorted(sorted: StoredObject[], object: StoredObject): void {
  const at = position(sorted, object.path);
  if (sorted[at]?.path === object.path) sorted[at] = object;
  else sorted.splice(at, 0, object);
}

export function removeSorted(sorted: StoredObject[], path: string): void {
  const at = position(sorted, path);
  if (sorted[at]?.path === path) sorted.splice(at, 1);
}

/** Those of one namespace: "0" follows "/" in ASCII. */
export function inNamespace(sorted: readonly StoredObject[], namespace: string): StoredObject[] {
  return sorted.slice(position(sorted, `${namespace}/`), position(sorted, `${namespace}0`));
}
