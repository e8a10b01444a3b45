// Two clusters whose workloads trust different roots cannot call each other, and nothing but handshake errors would say
// so: the most frequent way in which a multi-cluster mesh fails. It is told in the log, on debug pages and by commands.
import type { TrustPage } from "#api/debug/debug-pages";
import type { Logger } from "#base/logger";
import type { RemoteClusterStatus } from "#ingest/remote-clusters";
import { fingerprint, shareRoot, splitPem } from "#pki/trust-bundle";
import type { Authority } from "./authority.ts";

type Verdict = TrustPage["clusters"][number]["verdict"];

export interface ClusterTrust {
  readonly cluster: string;
  readonly roots: readonly string[];
  readonly verdict: Verdict;
  /** What the difference means and what to do about it; undefined when all is well. */
  readonly message?: string;
}

export function fingerprintsOf(pem: string): string[] {
  return splitPem(pem).map(fingerprint).sort();
}

/** Compares the roots of one remote cluster with ours. */
export function compareTrust(ownRootsPem: string, status: Pick<RemoteClusterStatus, "id" | "rootPem">): ClusterTrust {
  const cluster = status.id;
  if (status.rootPem === undefined) return { cluster, roots: [], verdict: "unknown" };
  const roots = fingerprintsOf(status.rootPem);
  const own = fingerprintsOf(ownRootsPem);
  if (own.join() === roots.join()) return { cluster, roots, verdict: "equal" };
  if (shareRoot(ownRootsPem, status.rootPem)) return { cluster, roots, verdict: "shared" };
  const message =
    `cluster ${cluster} has another root (${short(roots)}) than this control plane (${short(own)}); calls to its ` +
    "workloads will fail; give both clusters certificates of a common root in Secret cacerts of the control plane's " +
    "namespace, then restart both control planes and the workloads";
  return { cluster, roots, verdict: "differ", message };
}

function short(roots: readonly string[]): string {
  return roots.map((root) => root.slice(0, 16)).join(", ") || "none";
}

export interface TrustWatch {
  /** Takes the newest status of remote clusters; logs what became different. */
  update(statuses: readonly RemoteClusterStatus[]): void;
  /** In the order of the last update. */
  clusters(): readonly ClusterTrust[];
  of(cluster: string): ClusterTrust | undefined;
}

/** Keeps the comparison current when roots of either side change, and logs each turn once. */
export function watchTrust(options: { authority: Authority; logger: Logger; signal: AbortSignal }): TrustWatch {
  const { authority, logger, signal } = options;
  let statuses: readonly RemoteClusterStatus[] = [];
  let current: readonly ClusterTrust[] = [];
  const compare = () => {
    const before = new Map(current.map((trust) => [trust.cluster, trust]));
    current = statuses.map((status) => compareTrust(authority.current.rootsPem, status));
    for (const trust of current) report(trust, before.get(trust.cluster), logger);
  };
  const unsubscribe = authority.subscribe(compare);
  signal.addEventListener("abort", unsubscribe, { once: true });
  return {
    update(next) {
      statuses = next;
      compare();
    },
    clusters: () => current,
    of: (cluster) => current.find((trust) => trust.cluster === cluster),
  };
}

function report(trust: ClusterTrust, before: ClusterTrust | undefined, logger: Logger): void {
  if (trust.verdict === before?.verdict && trust.roots.join() === before.roots.join()) return;
  const bound = { cluster: trust.cluster, roots: trust.roots };
  if (trust.message !== undefined) logger.warn(bound, trust.message);
  else if (before?.verdict === "differ") logger.info(bound, `cluster ${trust.cluster} shares our root again`);
}
