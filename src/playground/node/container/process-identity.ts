// Who a container's processes are: user, groups, capabilities. Worked out as container runtimes do, carried out by setpriv.
import type { Container, Pod } from "#api/kubernetes/gen/types";
import { MeshError } from "#base/mesh-error";
import { podFullName } from "../pod/pod-name.ts";

/** What container runtimes leave to a container that asks for nothing. */
const DEFAULT_CAPABILITIES = [
  "AUDIT_WRITE",
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "MKNOD",
  "NET_BIND_SERVICE",
  "NET_RAW",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYS_CHROOT",
] as const;

export interface ProcessIdentity {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  /** The bounding set, in capital letters without CAP_; a user other than root can use none of it. */
  readonly capabilities: readonly string[] | "all";
  readonly noNewPrivileges: boolean;
}

/** `imageUser` is `UID[:GID]`. Throws MeshError RUNS_AS_ROOT when runAsNonRoot is set and the user is root. */
export function processIdentity(pod: Pod, container: Container, imageUser: string): ProcessIdentity {
  const ofPod = pod.spec?.securityContext ?? {};
  const own = container.securityContext ?? {};
  const [imageUid = 0, imageGid] = imageUser.split(":").map(Number);
  const chosen = own.runAsUser ?? ofPod.runAsUser;
  const uid = chosen ?? imageUid;
  const gid = own.runAsGroup ?? ofPod.runAsGroup ?? (chosen === undefined ? imageGid : undefined) ?? 0;
  if ((own.runAsNonRoot ?? ofPod.runAsNonRoot) && uid === 0) {
    const what =
      chosen === undefined
        ? "container has runAsNonRoot and image will run as root"
        : "container's runAsUser breaks non-root policy";
    throw new MeshError("RUNS_AS_ROOT", `${what} (pod: "${podFullName(pod)}", container: ${container.name})`);
  }
  const groups = [...(ofPod.supplementalGroups ?? []), ...(ofPod.fsGroup === undefined ? [] : [ofPod.fsGroup])];
  return {
    uid,
    gid,
    groups: [...new Set(groups)],
    capabilities: own.privileged ? "all" : capabilitySet(own.capabilities),
    noNewPrivileges: own.allowPrivilegeEscalation === false && !own.privileged,
  };
}

function capabilitySet(change: { add?: string[]; drop?: string[] } = {}): readonly string[] | "all" {
  const names = (list: readonly string[] = []) => list.map((name) => name.toUpperCase().replace(/^CAP_/, ""));
  const [add, drop] = [names(change.add), names(change.drop)];
  if (add.includes("ALL")) return "all";
  const kept = drop.includes("ALL") ? [] : DEFAULT_CAPABILITIES.filter((name) => !drop.includes(name));
  return [...new Set([...kept, ...add])].sort();
}

/** The arguments with which setpriv runs a command with this identity; the command dies with what started it. */
export function setprivArguments(identity: ProcessIdentity): string[] {
  const { capabilities, groups } = identity;
  return [
    `--reuid=${identity.uid}`,
    `--regid=${identity.gid}`,
    groups.length === 0 ? "--clear-groups" : `--groups=${groups.join(",")}`,
    "--inh-caps=-all",
    ...(capabilities === "all"
      ? []
      : [`--bounding-set=${["-all", ...capabilities.map((name) => `+${name.toLowerCase()}`)].join(",")}`]),
    ...(identity.noNewPrivileges ? ["--no-new-privs"] : []),
    "--pdeathsig=KILL",
  ];
}
