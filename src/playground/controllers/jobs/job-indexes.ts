// Sets of completion indexes as a Job's status writes them: `0,2-4`. Pure.

export function parseIndexes(text = ""): Set<number> {
  const indexes = new Set<number>();
  for (const part of text.split(",").filter(Boolean)) {
    const [first = "", last = first] = part.split("-");
    for (let index = Number(first); index <= Number(last); index++) indexes.add(index);
  }
  return indexes;
}

export function renderIndexes(indexes: ReadonlySet<number>): string {
  const parts: string[] = [];
  const sorted = [...indexes].sort((a, b) => a - b);
  for (let at = 0; at < sorted.length; ) {
    let end = at;
    while ((sorted[end + 1] ?? Number.NaN) === (sorted[end] ?? 0) + 1) end += 1;
    const [first, last] = [sorted[at], sorted[end]];
    // Two neighbours are told one by one.
    parts.push(end === at ? `${first}` : `${first}${end === at + 1 ? "," : "-"}${last}`);
    at = end + 1;
  }
  return parts.join(",");
}
