// What is told of containers of a pod that is over and of which nobody saw an end: pure. Rules and words are the kubelet's.
import type { ContainerStatus } from "#api/kubernetes/gen/types";

interface Told {
  readonly status: ContainerStatus;
  readonly sidecar: boolean;
}

const UNKNOWN = {
  terminated: {
    reason: "ContainerStatusUnknown",
    message: "The container could not be located when the pod was terminated",
    exitCode: 137,
  },
};

/** The statuses of a pod whose containers are all gone. Those that were never due stay waiting. */
export function endedStatuses(init: readonly Told[], containers: readonly Told[]) {
  const begun = init.findLastIndex(({ status }) => wasStarted(status));
  const initialized = isInitialized(init, containers);
  return {
    init: init.map((one, index) => (index <= begun || initialized ? ended(one.status) : one.status)),
    containers: containers.map(({ status }) => (initialized ? ended(status) : status)),
  };
}

function ended(status: ContainerStatus): ContainerStatus {
  return status.state?.terminated ? status : { ...status, ready: false, started: false, state: UNKNOWN };
}

function wasStarted({ state, lastState }: ContainerStatus): boolean {
  return Boolean(state?.running ?? state?.terminated ?? lastState?.terminated);
}

function isInitialized(init: readonly Told[], containers: readonly Told[]): boolean {
  const last = init.at(-1);
  if (last === undefined || containers.some(({ status }) => wasStarted(status))) return true;
  const { state, lastState, started } = last.status;
  if (last.sidecar) return state?.running !== undefined && started === true;
  return (state?.terminated ?? lastState?.terminated)?.exitCode === 0;
}
