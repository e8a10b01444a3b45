import type { Pod } from "#api/kubernetes/gen/types";

/** The workload that a pod belongs to, found by its controller. */
export interface Workload {
  readonly name: string;
  readonly kind: string;
  readonly apiVersion: string;
}

const CRON_JOB_NAME = /^(.+)-\d{8,10}$/;

/** A ReplicaSet made by a Deployment counts as the Deployment, a Job made by a CronJob as the CronJob. */
export function workloadOf(pod: Pod): Workload {
  const { name, generateName = "", labels = {}, ownerReferences = [] } = pod.metadata ?? {};
  const owner = ownerReferences.find((reference) => reference.controller === true);
  if (owner === undefined) {
    return { name: name || generateName.replace(/-$/, ""), kind: "Pod", apiVersion: "v1" };
  }
  const suffix = `-${labels["pod-template-hash"] ?? ""}`;
  if (owner.kind === "ReplicaSet" && suffix !== "-" && owner.name.endsWith(suffix)) {
    return { name: owner.name.slice(0, -suffix.length), kind: "Deployment", apiVersion: "apps/v1" };
  }
  const cronJob = owner.kind === "Job" ? CRON_JOB_NAME.exec(owner.name)?.[1] : undefined;
  if (cronJob !== undefined) return { name: cronJob, kind: "CronJob", apiVersion: "batch/v1" };
  return { name: owner.name, kind: owner.kind, apiVersion: owner.apiVersion };
}

/** `kubernetes://apis/apps/v1/namespaces/sample/deployments/sleep` */
export function ownerUrl(workload: Workload, namespace: string): string {
  return `kubernetes://apis/${workload.apiVersion}/namespaces/${namespace}/${workload.kind.toLowerCase()}s/${workload.name}`;
}

/** Name and revision under which telemetry and other meshes know the service; label values, at most 63 long. */
export function canonicalService(pod: Pod, workload: Workload): { name: string; revision: string } {
  const labels = pod.metadata?.labels ?? {};
  const name =
    labels["service.istio.io/canonical-name"] || labels["app.kubernetes.io/name"] || labels["app"] || workload.name;
  const revision =
    labels["service.istio.io/canonical-revision"] ||
    labels["app.kubernetes.io/version"] ||
    labels["version"] ||
    "latest";
  return { name: name.slice(0, 63).replace(/[^A-Za-z0-9]+$/, ""), revision };
}
