// `namespace/name` in the order of their characters, as lists show objects; kept in order by one step for each write.

/** The first index whose name is not before `name`. */
function position(sorted: readonly string[], name: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? "") < name) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function insertSorted(sorted: string[], name: string): void {
  sorted.splice(position(sorted, name), 0, name);
}

export function removeSorted(sorted: string[], name: string): void {
  const at = position(sorted, name);
  if (sorted[at] === name) sorted.splice(at, 1);
}

/** Those of one namespace: "0" follows "/" in ASCII. */
export function namesIn(sorted: readonly string[], namespace: string): readonly string[] {
  return sorted.slice(position(sorted, `${namespace}/`), position(sorted, `${namespace}0`));
}
