// The pods of a Job: how they are made, and what became of them. Pure.

import { Kinds } from "#api/kinds";
import type { Container, Job, Pod, PodFailurePolicyRule } from "#api/kubernetes/gen/types";
import { annotationsOf, identityOf, isBeingDeleted, labelsOf } from "../objects/object-meta.ts";
import { podFromTemplate } from "../workloads/pod-from-template.ts";

export const TRACKING = "batch.kubernetes.io/job-tracking";
const INDEX = "batch.kubernetes.io/job-completion-index";
const INDEX_FAILURES = "batch.kubernetes.io/job-index-failure-count";

export function isIndexed({ spec }: Job): boolean {
  return spec?.completionMode === "Indexed";
}

export function isTracked(pod: Pod): boolean {
  return pod.metadata?.finalizers?.includes(TRACKING) === true;
}

export function indexOf(pod: Pod): number {
  const text = annotationsOf(pod)[INDEX];
  return text === undefined ? -1 : Number(text);
}

export function failuresOf(pod: Pod): number {
  return Number(annotationsOf(pod)[INDEX_FAILURES] ?? 0);
}

/** A pod that went away before it ended counts as failed too, unless only ended ones are replaced. */
export function hasFailed(job: Job, pod: Pod): boolean {
  if (pod.status?.phase === "Failed") return true;
  if (job.spec?.podReplacementPolicy === "Failed") return false;
  return isBeingDeleted(pod) && pod.status?.phase !== "Succeeded";
}

export function hasSucceeded({ status }: Pod): boolean {
  return status?.phase === "Succeeded";
}

export function isActivePod(pod: Pod): boolean {
  return !hasSucceeded(pod) && pod.status?.phase !== "Failed" && !isBeingDeleted(pod);
}

/** @param index undefined for a Job whose pods have no numbers; `failures` of this index so far */
export function buildJobPod(job: Job, index: number | undefined, failures: number): Pod {
  const pod = podFromTemplate(Kinds.Job, job, job.spec?.template);
  const finalizers = [...(pod.metadata?.finalizers ?? []), TRACKING];
  if (index === undefined) return { ...pod, metadata: { ...pod.metadata, finalizers } };
  const { name } = identityOf(job);
  const perIndex = job.spec?.backoffLimitPerIndex === undefined ? {} : { [INDEX_FAILURES]: String(failures) };
  const annotations = { ...annotationsOf(pod), [INDEX]: String(index), ...perIndex };
  const labels = { ...labelsOf(pod), [INDEX]: String(index) };
  const spec = pod.spec ?? { containers: [] };
  const { initContainers } = spec;
  return {
    metadata: { ...pod.metadata, generateName: `${name}-${index}-`, annotations, labels, finalizers },
    spec: {
      ...spec,
      hostname: `${name}-${index}`,
      containers: spec.containers.map(withIndex),
      ...(initContainers === undefined ? {} : { initContainers: initContainers.map(withIndex) }),
    },
  };
}

function withIndex(container: Container): Container {
  const name = "JOB_COMPLETION_INDEX";
  if (container.env?.some((variable) => variable.name === name)) return container;
  const fieldRef = { fieldPath: `metadata.labels['${INDEX}']` };
  return { ...container, env: [...(container.env ?? []), { name, valueFrom: { fieldRef } }] };
}

export interface FailureVerdict {
  readonly action: string;
  readonly message: string;
}

/** What the failure policy says of a failed pod; undefined: it counts as any other failure. */
export function judgeFailure({ spec }: Job, pod: Pod): FailureVerdict | undefined {
  for (const [index, rule] of (spec?.podFailurePolicy?.rules ?? []).entries()) {
    const why = whyRuleMatches(rule, pod);
    if (why !== undefined)
      return { action: rule.action, message: `${why} matching ${rule.action} rule at index ${index}` };
  }
  return undefined;
}

function whyRuleMatches(rule: PodFailurePolicyRule, pod: Pod): string | undefined {
  const { namespace, name } = identityOf(pod);
  const { onExitCodes, onPodConditions } = rule;
  if (onExitCodes !== undefined) {
    const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
    for (const { name: container, state } of statuses) {
      const code = state?.terminated?.exitCode;
      if (code === undefined || code === 0) continue;
      if (onExitCodes.containerName !== undefined && onExitCodes.containerName !== container) continue;
      if (onExitCodes.values.includes(code) === (onExitCodes.operator === "In")) {
        return `Container ${container} for pod ${namespace}/${name} failed with exit code ${code}`;
      }
    }
    return undefined;
  }
  const found = (onPodConditions ?? []).find(({ type, status = "True" }) =>
    pod.status?.conditions?.some((condition) => condition.type === type && condition.status === status),
  );
  return found === undefined ? undefined : `Pod ${namespace}/${name} has condition ${found.type}`;
}
