// Two texts side by side as Go's difflib shows them: the longest runs of equal lines first, three lines around a change.

const AROUND = 3;
/** In long texts lines that stand very often start no run. */
const LONG = 200;

interface Run {
  readonly a: number;
  readonly b: number;
  readonly size: number;
}

type Operation = readonly [tag: "equal" | "change", a1: number, a2: number, b1: number, b2: number];

/** Lines without their ends; "" for equal texts. */
export function unifiedDiff(a: readonly string[], b: readonly string[]): string {
  return grouped(operations(a, b))
    .map((group) => shown(group, a, b))
    .join("");
}

function shown(group: readonly Operation[], a: readonly string[], b: readonly string[]): string {
  const [first, last] = [group[0], group.at(-1)];
  if (first === undefined || last === undefined) return "";
  const lines = group.flatMap(([tag, a1, a2, b1, b2]) =>
    tag === "equal"
      ? a.slice(a1, a2).map((line) => ` ${line}`)
      : [...a.slice(a1, a2).map((line) => `-${line}`), ...b.slice(b1, b2).map((line) => `+${line}`)],
  );
  const head = `@@ -${range(first[1], last[2])} +${range(first[3], last[4])} @@`;
  return [head, ...lines].map((line) => `${line}\n`).join("");
}

function range(start: number, stop: number): string {
  const length = stop - start;
  if (length === 1) return String(start + 1);
  return `${length === 0 ? start : start + 1},${length}`;
}

/** Changes that are near each other, with what is equal around them. */
function grouped(all: readonly Operation[]): Operation[][] {
  const groups: Operation[][] = [];
  let group: Operation[] = [];
  for (const [index, operation] of all.entries()) {
    const [tag, a1, a2, b1, b2] = operation;
    if (tag === "change") {
      group.push(operation);
      continue;
    }
    const [isFirst, isLast, size] = [index === 0, index === all.length - 1, a2 - a1];
    if (isFirst) {
      const kept = Math.min(size, AROUND);
      group.push(["equal", a2 - kept, a2, b2 - kept, b2]);
    } else if (isLast || size > 2 * AROUND) {
      const kept = Math.min(size, AROUND);
      group.push(["equal", a1, a1 + kept, b1, b1 + kept]);
      if (isLast) continue;
      groups.push(group);
      group = [["equal", a2 - AROUND, a2, b2 - AROUND, b2]];
    } else group.push(operation);
  }
  if (group.some(([tag]) => tag === "change")) groups.push(group);
  return groups;
}

function operations(a: readonly string[], b: readonly string[]): Operation[] {
  const all: Operation[] = [];
  let [atA, atB] = [0, 0];
  for (const { a: a1, b: b1, size } of [...runs(a, b), { a: a.length, b: b.length, size: 0 }]) {
    if (atA < a1 || atB < b1) all.push(["change", atA, a1, atB, b1]);
    if (size > 0) all.push(["equal", a1, a1 + size, b1, b1 + size]);
    [atA, atB] = [a1 + size, b1 + size];
  }
  return all;
}

interface Span {
  readonly a1: number;
  readonly a2: number;
  readonly b1: number;
  readonly b2: number;
}

/** Equal runs in order, those that touch as one. */
function runs(a: readonly string[], b: readonly string[]): Run[] {
  const places = placesOf(b);
  const found: Run[] = [];
  const visit = ({ a1, a2, b1, b2 }: Span): void => {
    const run = longest(a, b, places, { a1, a2, b1, b2 });
    if (run.size === 0) return;
    if (a1 < run.a && b1 < run.b) visit({ a1, a2: run.a, b1, b2: run.b });
    const before = found.at(-1);
    if (before !== undefined && before.a + before.size === run.a && before.b + before.size === run.b)
      found[found.length - 1] = { ...before, size: before.size + run.size };
    else found.push(run);
    const [a3, b3] = [run.a + run.size, run.b + run.size];
    if (a3 < a2 && b3 < b2) visit({ a1: a3, a2, b1: b3, b2 });
  };
  visit({ a1: 0, a2: a.length, b1: 0, b2: b.length });
  return found;
}

function placesOf(b: readonly string[]): Map<string, number[]> {
  const places = new Map<string, number[]>();
  for (const [index, line] of b.entries()) places.set(line, [...(places.get(line) ?? []), index]);
  const most = Math.floor(b.length / 100) + 1;
  if (b.length >= LONG) for (const [line, indices] of places) if (indices.length > most) places.delete(line);
  return places;
}

/** The longest run that begins with a line that is not too common, stretched over common ones. */
function longest(a: readonly string[], b: readonly string[], places: Map<string, number[]>, span: Span): Run {
  const { a1, a2, b1, b2 } = span;
  let best: Run = { a: a1, b: b1, size: 0 };
  let lengths = new Map<number, number>();
  for (let at = a1; at < a2; at++) {
    const next = new Map<number, number>();
    for (const place of places.get(a[at] ?? "") ?? []) {
      if (place < b1) continue;
      if (place >= b2) break;
      const size = (lengths.get(place - 1) ?? 0) + 1;
      next.set(place, size);
      if (size > best.size) best = { a: at - size + 1, b: place - size + 1, size };
    }
    lengths = next;
  }
  return stretched(a, b, best, span);
}

function stretched(a: readonly string[], b: readonly string[], run: Run, { a1, a2, b1, b2 }: Span): Run {
  let [startA, startB, end] = [run.a, run.b, run.a + run.size];
  while (startA > a1 && startB > b1 && a[startA - 1] === b[startB - 1]) {
    startA--;
    startB--;
  }
  const offset = run.b - run.a;
  while (end < a2 && end + offset < b2 && a[end] === b[end + offset]) end++;
  return { a: startA, b: startB, size: end - startA };
}
