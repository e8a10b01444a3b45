// What a pod's status says, worked out from what its containers do: pure. Rules and words are the kubelet's.
import type { ContainerStatus, Pod, PodCondition, PodStatus, Quantity } from "#api/kubernetes/gen/types";
import { parseQuantity } from "../container/quantity.ts";
import { endedStatuses } from "./unknown-endings.ts";

export interface ObservedContainer {
  readonly status: ContainerStatus;
  /** An init container that goes on running beside the others. */
  readonly sidecar: boolean;
  /** It ended and will not start again. */
  readonly finished: boolean;
}

/** The node's own verdict over a pod, whatever its containers do. */
export interface PodFailure {
  readonly reason: string;
  readonly message: string;
}

export interface ObservedPod {
  readonly pod: Pod;
  /** Empty until it has some. */
  readonly podIPs: readonly string[];
  readonly hostIPs: readonly string[];
  /** Its network namespace is there. */
  readonly hasSandbox: boolean;
  readonly failure: PodFailure | undefined;
  /** Of resources that the pod asks for and has not got. */
  readonly resize?: Pick<PodCondition, "type" | "reason" | "message"> | undefined;
  /** RFC 3339, seconds. */
  readonly startTime: string;
  readonly now: string;
  readonly init: readonly ObservedContainer[];
  readonly containers: readonly ObservedContainer[];
  readonly ephemeral: readonly ObservedContainer[];
  /** The conditions told last, whose times stay when nothing changed. */
  readonly conditions: readonly PodCondition[];
}

type Verdict = readonly [status: boolean, reason?: string, message?: string];
type Phase = "Pending" | "Running" | "Succeeded" | "Failed";

export function podStatus(observed: ObservedPod): PodStatus {
  const { pod, failure, init, ephemeral } = observed;
  const phase = podPhase(observed);
  const [hostIP = ""] = observed.hostIPs;
  const [podIP] = observed.podIPs;
  const generation = pod.metadata?.generation;
  const isOver = (phase === "Failed" || phase === "Succeeded") && !observed.hasSandbox;
  const told = isOver
    ? endedStatuses(init, observed.containers)
    : { init: init.map(({ status }) => status), containers: observed.containers.map(({ status }) => status) };
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    phase,
    ...(failure ?? {}),
    hostIP,
    hostIPs: observed.hostIPs.map((ip) => ({ ip })),
    ...(podIP === undefined ? {} : { podIP, podIPs: observed.podIPs.map((ip) => ({ ip })) }),
    startTime: observed.startTime,
    conditions: podConditions(observed, phase),
    ...(init.length > 0 ? { initContainerStatuses: told.init } : {}),
    containerStatuses: told.containers,
    ...(ephemeral.length > 0 ? { ephemeralContainerStatuses: ephemeral.map(({ status }) => status) } : {}),
    qosClass: qosClass(pod),
  };
}

export function podPhase({ init, containers, failure }: Pick<ObservedPod, "init" | "containers" | "failure">): Phase {
  const initFailed = init.some(({ sidecar, finished, status }) => !sidecar && finished && failed(status));
  if (failure || initFailed) return "Failed";
  if (!isInitialized(init.filter(({ sidecar }) => !sidecar))) return "Pending";
  // Sidecars that start again do not make a pod pending whose containers have run.
  if (!isInitialized(init) && !containers.some(({ status }) => hasRun(status))) return "Pending";
  if (!containers.every(({ status }) => hasRun(status))) return "Pending";
  const sidecars = init.filter(({ sidecar }) => sidecar);
  const isRunning = [...containers, ...sidecars].some(({ status }) => status.state?.running !== undefined);
  if (isRunning || !containers.every(({ finished }) => finished)) return "Running";
  return containers.every(({ status }) => succeeded(status)) ? "Succeeded" : "Failed";
}

/** It was started before, so that the pod does not wait for it. */
function hasRun({ state, lastState, restartCount }: ContainerStatus): boolean {
  return Boolean(state?.running ?? state?.terminated ?? lastState?.terminated) || restartCount > 0;
}

function isInitialized(init: readonly ObservedContainer[]): boolean {
  return init.every(({ sidecar, finished, status }) =>
    sidecar ? status.started === true : finished && succeeded(status),
  );
}

function podConditions(observed: ObservedPod, phase: Phase): PodCondition[] {
  const ready = containersReady(observed, phase);
  const verdicts: readonly (readonly [string, Verdict])[] = [
    ["PodReadyToStartContainers", [observed.hasSandbox]],
    ["Initialized", initialized(observed, phase)],
    ["Ready", ready[0] ? gatesVerdict(observed.pod) : ready],
    ["ContainersReady", ready],
    ["PodScheduled", [true]],
  ];
  const { resize } = observed;
  const told = resize ? [condition(resize.type, [true, resize.reason ?? "", resize.message ?? ""], observed)] : [];
  return [...verdicts.map(([type, verdict]) => condition(type, verdict, observed)), ...told];
}

function containersReady({ init, containers }: ObservedPod, phase: Phase): Verdict {
  if (phase === "Succeeded") return [false, "PodCompleted"];
  if (phase === "Failed") return [false, "PodFailed"];
  const unready = [...init.filter(({ sidecar }) => sidecar), ...containers]
    .filter(({ status }) => !status.ready)
    .map(({ status }) => status.name);
  if (unready.length === 0) return [true];
  return [false, "ContainersNotReady", `containers with unready status: [${unready.join(" ")}]`];
}

function initialized({ init, containers }: ObservedPod, phase: Phase): Verdict {
  if (phase === "Succeeded") return [true, "PodCompleted"];
  // Once initialised it stays so, though its sidecars may start again.
  if (containers.some(({ status }) => hasRun(status))) return [true];
  const waiting = init.filter((one) => !isInitialized([one])).map(({ status }) => status.name);
  if (waiting.length === 0) return [true];
  return [false, "ContainersNotInitialized", `containers with incomplete status: [${waiting.join(" ")}]`];
}

function gatesVerdict(pod: Pod): Verdict {
  const problems = (pod.spec?.readinessGates ?? []).flatMap(({ conditionType }) => {
    const found = pod.status?.conditions?.find(({ type }) => type === conditionType);
    if (found === undefined)
      return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
    if (found.status === "True") return [];
    return [`the status of pod readiness gate "${conditionType}" is not "True", but ${found.status}`];
  });
  return problems.length === 0 ? [true] : [false, "ReadinessGatesNotReady", problems.join(", ")];
}

function condition(type: string, [isTrue, reason, message]: Verdict, observed: ObservedPod): PodCondition {
  const status = isTrue ? "True" : "False";
  const before = observed.conditions.find((one) => one.type === type);
  const lastTransitionTime = before?.status === status ? (before.lastTransitionTime ?? observed.now) : observed.now;
  const generation = observed.pod.metadata?.generation;
  return {
    type,
    status,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    lastTransitionTime,
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
  };
}

function failed(status: ContainerStatus): boolean {
  return status.state?.terminated !== undefined && status.state.terminated.exitCode !== 0;
}

function succeeded(status: ContainerStatus): boolean {
  return status.state?.terminated?.exitCode === 0;
}

/** Quality of service: whether every container, or any, says what CPU and memory it needs. */
export function qosClass(pod: Pod): "BestEffort" | "Burstable" | "Guaranteed" {
  const all = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  const asked = (list: Readonly<Record<string, Quantity>> = {}) =>
    ["cpu", "memory"].filter((name) => parseQuantity(list[name] ?? 0) > 0);
  if (all.every(({ resources }) => asked(resources?.limits).length + asked(resources?.requests).length === 0)) {
    return "BestEffort";
  }
  const guaranteed = all.every(({ resources }) => {
    const { limits = {}, requests = {} } = resources ?? {};
    if (asked(limits).length < 2) return false;
    return asked(requests).every((name) => parseQuantity(requests[name] ?? 0) === parseQuantity(limits[name] ?? 0));
  });
  return guaranteed ? "Guaranteed" : "Burstable";
}
