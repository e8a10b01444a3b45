// Conditions of a status as controllers keep them: one a type, times that move only when the condition does.

/** Zero counts are left out of a status, as the API's own encoding does. */
export function withoutZeros<T extends object>(status: T, keep: readonly (keyof T)[] = []): T {
  const kept = Object.entries(status).filter(([key, value]) => {
    return (value !== 0 && value !== undefined) || keep.some((name) => name === key);
  });
  return Object.fromEntries(kept) as T;
}

interface ConditionLike {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

/** The list with the condition in place of its like; the time of an unchanged status is kept. */
export function withCondition<T extends ConditionLike>(conditions: readonly T[], condition: T): T[] {
  const before = conditions.find(({ type }) => type === condition.type);
  const kept = before?.status === condition.status ? before.lastTransitionTime : undefined;
  const time = kept === undefined ? {} : { lastTransitionTime: kept };
  return [...conditions.filter(({ type }) => type !== condition.type), { ...condition, ...time }];
}

export function conditionOf<T extends ConditionLike>(
  conditions: readonly T[] | undefined,
  type: string,
): T | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/** Equal but for times that only say when it was looked at. */
export function sameStatus(a: object | undefined, b: object): boolean {
  return canonical(a ?? {}) === canonical(b);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item !== "object" || item === null || Array.isArray(item)) return item;
    return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
