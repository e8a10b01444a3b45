const STAGES: Readonly<Record<string, number>> = { alpha: 1, beta: 2 };

/** v2 > v1 > v1beta2 > v1beta1 > v1alpha1 > anything else, as Kubernetes sorts versions. */
function versionPriority(version: string): number {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
  if (match === null) return 0;
  const stage = match[2] === undefined ? 3 : (STAGES[match[2]] ?? 0);
  return stage * 1e6 + Number(match[1]) * 1e3 + Number(match[3] ?? 0);
}

/** The version that clients should prefer comes first. */
export const byPriority = (a: string, b: string): number =>
  versionPriority(b) - versionPriority(a) || (a < b ? -1 : a > b ? 1 : 0);
