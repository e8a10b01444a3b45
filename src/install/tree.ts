// Trees of values: merging overlays, reading and writing by path.
import type { Tree, TreeValue } from "#api/install/istio-operator/istio-operator";
import { MeshError } from "#base/mesh-error";

export function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `over` wins; objects merge by key, everything else is replaced, null removes what lies below. Inputs stay untouched. */
export function mergeTrees(under: Tree, over: Tree): Tree {
  const merged: Tree = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const old = merged[key];
    if (value === null) delete merged[key];
    else merged[key] = isTree(value) && isTree(old) ? mergeTrees(old, value) : value;
  }
  return merged;
}

/** The value at a dotted path, undefined when any step is missing. */
export function valueAt(tree: Tree, path: string): TreeValue | undefined {
  let current: TreeValue | undefined = tree;
  for (const key of path.split(".")) current = isTree(current) ? current[key] : undefined;
  return current;
}

export function stringAt(tree: Tree, path: string): string {
  const value = valueAt(tree, path);
  return value === undefined || value === null || typeof value === "object" ? "" : String(value);
}

type PathStep = string | number | { readonly key: string; readonly value: string };

/** `a.b[0].c`, `list[name:x].field`, `list.[name:x.y]`, with `\\.` for a dot inside a key. */
export function parsePath(path: string): PathStep[] {
  const invalid = () => new MeshError("PATH_INVALID", `"${path}" is not a path such as a.b[0].c or list[name:x].field`);
  const steps: PathStep[] = [];
  for (const part of path.match(/(?:\\\.|\[[^\]]*\]|[^.])+/g) ?? []) {
    const [, name, selectors = ""] = /^([^[\]]*)((?:\[[^\]]*\])*)$/.exec(part.replaceAll("\\.", ".")) ?? [];
    if (name === undefined || name === "__proto__") throw invalid();
    if (name !== "") steps.push(name);
    for (const [, inner = ""] of selectors.matchAll(/\[([^\]]*)\]/g)) steps.push(selectorStep(inner));
  }
  if (steps.length === 0) throw invalid();
  return steps;
}

function selectorStep(inner: string): PathStep {
  if (/^\d+$/.test(inner)) return Number(inner);
  const colon = inner.indexOf(":");
  return colon < 0 ? { key: "", value: inner } : { key: inner.slice(0, colon), value: inner.slice(colon + 1) };
}

/** Sets (undefined: deletes) the value at a path, making what is missing on the way. Changes `root` in place. */
export function setAtPath(root: Tree, path: string, value: TreeValue | undefined): void {
  const steps = parsePath(path);
  let current: TreeValue = root;
  for (const [index, step] of steps.entries()) {
    if (index === steps.length - 1) assign(current, step, value);
    else current = descend(current, step, typeof steps[index + 1] === "string" ? {} : []);
  }
}

function descend(container: TreeValue, step: PathStep, fallback: TreeValue): TreeValue {
  const key = keyIn(container, step);
  const parent = container as Record<string | number, TreeValue>;
  const existing = parent[key];
  if (typeof existing === "object" && existing !== null) return existing;
  parent[key] = fallback;
  return fallback;
}

function assign(container: TreeValue, step: PathStep, value: TreeValue | undefined): void {
  const key = keyIn(container, step);
  if (value !== undefined) (container as Record<string | number, TreeValue>)[key] = value;
  else if (Array.isArray(container)) container.splice(Number(key), 1);
  else delete (container as Tree)[String(key)];
}

function keyIn(container: TreeValue, step: PathStep): string | number {
  if (typeof step !== "object") return step;
  if (!Array.isArray(container)) throw new MeshError("PATH_INVALID", `[${step.key}:${step.value}] needs a list`);
  const found = container.findIndex((item) =>
    step.key === "" ? String(item) === step.value : isTree(item) && String(item[step.key]) === step.value,
  );
  if (found >= 0) return found;
  container.push(step.key === "" ? step.value : { [step.key]: step.value });
  return container.length - 1;
}

/**
 * The value of `--set path=value`: true, false, null and numbers become what they look like. A number that would not
 * print as it was written stays text: `tag=1.10` is no 1.1.
 */
export function parseSetValue(text: string): TreeValue {
  if (text === "true") return true;
  if (text === "false") return false;
  if (text === "null") return null;
  return /^-?\d+(\.\d+)?$/.test(text) && String(Number(text)) === text ? Number(text) : text;
}
