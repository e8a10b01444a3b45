// A pod's status as the strategic merge patch that makes the stored one equal to it: pure.
import type { PodCondition, PodStatus } from "#api/kubernetes/gen/types";

type Told = Record<string, unknown>;

/**
 * Conditions and addresses are merged by key, so what is not said of them would stay as it was: a condition says that it
 * has no reason, addresses replace those before. Conditions of others stay; those of `gone` are removed.
 */
export function statusPatch(status: PodStatus, gone: readonly string[]): Told {
  const { conditions = [], podIPs, hostIPs, ...rest } = status;
  const told = [...conditions.map(fullCondition), ...gone.map((type) => ({ type, $patch: "delete" }))];
  return {
    ...rest,
    ...(told.length > 0 ? { conditions: told } : {}),
    ...(podIPs ? { podIPs: [...podIPs, REPLACE] } : {}),
    ...(hostIPs ? { hostIPs: [...hostIPs, REPLACE] } : {}),
  };
}

const REPLACE = { $patch: "replace" };

function fullCondition(condition: PodCondition): Told {
  return { reason: null, message: null, ...condition };
}
