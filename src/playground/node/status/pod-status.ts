// What a pod's status says, worked out from what its containers do: pure.
import type { ContainerStatus, Pod, PodCondition, PodStatus } from "#api/kubernetes/gen/types";
import { restartPolicyOf } from "./restart-policy.ts";

export interface ObservedContainer {
  readonly status: ContainerStatus;
  /** An init container that goes on running beside the others. */
  readonly sidecar: boolean;
  /** It ended and will not start again. */
  readonly finished: boolean;
}

export interface ObservedPod {
  readonly pod: Pod;
  readonly podIP: string | undefined;
  readonly hostIP: string;
  /** RFC 3339, seconds. */
  readonly startTime: string;
  readonly now: string;
  readonly init: readonly ObservedContainer[];
  readonly containers: readonly ObservedContainer[];
  /** The conditions told last, whose times stay when nothing changed. */
  readonly conditions: readonly PodCondition[];
}

type Verdict = readonly [status: boolean, reason?: string, message?: string];

export function podStatus(observed: ObservedPod): PodStatus {
  const phase = podPhase(observed);
  const ip = observed.podIP;
  return {
    phase,
    hostIP: observed.hostIP,
    hostIPs: [{ ip: observed.hostIP }],
    ...(ip === undefined ? {} : { podIP: ip, podIPs: [{ ip }] }),
    startTime: observed.startTime,
    conditions: podConditions(observed, phase),
    ...(observed.init.length > 0 ? { initContainerStatuses: observed.init.map(initStatus) } : {}),
    containerStatuses: observed.containers.map(({ status }) => status),
    qosClass: qosClass(observed.pod),
  };
}

/** An init container that did its work counts as ready. */
function initStatus({ status, finished }: ObservedContainer): ContainerStatus {
  return finished && succeeded(status) ? { ...status, ready: true } : status;
}

export function podPhase({ pod, init, containers }: ObservedPod): "Pending" | "Running" | "Succeeded" | "Failed" {
  const policy = restartPolicyOf(pod.spec?.restartPolicy);
  const initFailed = init.some(({ sidecar, finished, status }) => !sidecar && finished && !succeeded(status));
  if (initFailed && policy === "Never") return "Failed";
  if (!isInitialized(init)) return "Pending";
  if (containers.every(({ finished }) => finished)) {
    return containers.every(({ status }) => succeeded(status)) ? "Succeeded" : "Failed";
  }
  const everStarted = ({ status }: ObservedContainer) =>
    status.state?.running !== undefined || status.state?.terminated !== undefined || status.restartCount > 0;
  return containers.every(everStarted) ? "Running" : "Pending";
}

function isInitialized(init: readonly ObservedContainer[]): boolean {
  return init.every(({ sidecar, finished, status }) =>
    sidecar ? status.started === true : finished && succeeded(status),
  );
}

function podConditions(observed: ObservedPod, phase: string): PodCondition[] {
  const { pod, init, containers } = observed;
  const done = phase === "Succeeded" || phase === "Failed";
  const waitingInit = init.filter((one) => !isInitialized([one])).map(({ status }) => status.name);
  const unready = [...init.filter(({ sidecar }) => sidecar), ...containers]
    .filter(({ status }) => !status.ready)
    .map(({ status }) => status.name);
  const ready: Verdict = done
    ? [false, "PodCompleted"]
    : unready.length > 0
      ? [false, "ContainersNotReady", `containers with unready status: [${unready.join(" ")}]`]
      : [true];
  const verdicts: readonly (readonly [string, Verdict])[] = [
    ["PodReadyToStartContainers", [observed.podIP !== undefined && !done]],
    [
      "Initialized",
      waitingInit.length > 0
        ? [false, "ContainersNotInitialized", `containers with incomplete status: [${waitingInit.join(" ")}]`]
        : [true],
    ],
    ["Ready", ready[0] ? gatesVerdict(pod) : ready],
    ["ContainersReady", ready],
  ];
  return verdicts.map(([type, verdict]) => condition(type, verdict, observed));
}

function gatesVerdict(pod: Pod): Verdict {
  const waiting = (pod.spec?.readinessGates ?? [])
    .map(({ conditionType }) => conditionType)
    .filter((type) => pod.status?.conditions?.find((one) => one.type === type)?.status !== "True");
  if (waiting.length === 0) return [true];
  return [false, "ReadinessGatesNotReady", `corresponding conditions are not true: [${waiting.join(" ")}]`];
}

function condition(type: string, [isTrue, reason, message]: Verdict, observed: ObservedPod): PodCondition {
  const status = isTrue ? "True" : "False";
  const before = observed.conditions.find((one) => one.type === type);
  const lastTransitionTime = before?.status === status ? (before.lastTransitionTime ?? observed.now) : observed.now;
  return {
    type,
    status,
    lastTransitionTime,
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
  };
}

function succeeded(status: ContainerStatus): boolean {
  return status.state?.terminated?.exitCode === 0;
}

function qosClass(pod: Pod): string {
  const all = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  const none = all.every(({ resources }) => !resources?.limits && !resources?.requests);
  if (none) return "BestEffort";
  const guaranteed = all.every(({ resources }) =>
    ["cpu", "memory"].every((name) => {
      const limit = resources?.limits?.[name];
      return limit !== undefined && (resources?.requests?.[name] ?? limit) === limit;
    }),
  );
  return guaranteed ? "Guaranteed" : "Burstable";
}
