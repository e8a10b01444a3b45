import type { Container } from "#api/kubernetes/gen/types";
import { errorMessage } from "#base/mesh-error";
import { resourceLimits } from "../cgroup/resource-limits.ts";
import type { ContainerProcess } from "./container-process.ts";

/** Gives what runs the limits of `container`. Answers why the machine refuses. */
export function changeLimits({ cgroup }: Pick<ContainerProcess, "cgroup">, container: Container): string | undefined {
  const limits = resourceLimits(container);
  if (limits === undefined) return undefined;
  if (cgroup === undefined)
    return `container "${container.name}" runs without a control group: its limits hold from its next start`;
  try {
    cgroup.update(limits);
    return undefined;
  } catch (thrown) {
    return `failed to resize container "${container.name}": ${errorMessage(thrown)}`;
  }
}
