// What a pod may ask of a kernel that this node does not give its containers: it runs, and its events say so.
import type { Pod } from "#api/kubernetes/gen/types";
import type { PodEvent } from "../node-api.ts";

/** One event for each kind of profile that some container is to run with. Pure. */
export function unenforcedEvents({ spec }: Pod): PodEvent[] {
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  const profiles = { seccompProfile: "seccomp", appArmorProfile: "AppArmor" } as const;
  const events = (Object.keys(profiles) as (keyof typeof profiles)[]).flatMap((field): PodEvent[] => {
    const asked = [spec?.securityContext, ...containers.map(({ securityContext }) => securityContext)].flatMap(
      (context) => context?.[field]?.type ?? [],
    );
    const types = [...new Set(asked)].filter((type) => type !== "Unconfined");
    if (types.length === 0) return [];
    const message = `${profiles[field]} profile ${types.join(", ")} is accepted and not enforced: containers of this node run unconfined`;
    return [{ type: "Warning", reason: "ProfileNotEnforced", message }];
  });
  if (spec?.hostUsers !== false) return events;
  const message = "hostUsers: false is accepted and not enforced: containers of this node share its users";
  return [...events, { type: "Warning", reason: "ProfileNotEnforced", message }];
}
