// Who a container's processes are: user, groups, capabilities. Worked out as container runtimes do, carried out by setpriv.
import type { Container, Pod } from "#api/kubernetes/gen/types";
import { MeshError } from "#base/mesh-error";
import type { ImageAccount } from "../images/image-user.ts";
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
  /** The primary one among them, as runtimes have it. */
  readonly groups: readonly number[];
  /** The bounding set, in capital letters without CAP_; a user other than root can use none of it. */
  readonly capabilities: readonly string[] | "all";
  readonly noNewPrivileges: boolean;
}

/** What an image says of users. */
interface ImageUsers {
  /** Its own: `UID[:GID]`. */
  readonly user: string;
  /** The name of its own, where that is no number. */
  readonly userName?: string;
  account(uid: number): ImageAccount | undefined;
}

/** Throws MeshError RUNS_AS_ROOT when runAsNonRoot is set and the user is root, or nobody can tell. */
export function processIdentity(pod: Pod, container: Container, image: ImageUsers): ProcessIdentity {
  const ofPod = pod.spec?.securityContext ?? {};
  const own = container.securityContext ?? {};
  const [imageUid = 0, imageGid] = image.user.split(":").map(Number);
  const chosen = own.runAsUser ?? ofPod.runAsUser;
  const uid = chosen ?? imageUid;
  const account = image.account(uid);
  const gid = own.runAsGroup ?? ofPod.runAsGroup ?? (chosen === undefined ? imageGid : account?.gid) ?? 0;
  const refusal = (own.runAsNonRoot ?? ofPod.runAsNonRoot) ? whyPerhapsRoot(chosen, uid, image.userName) : undefined;
  if (refusal !== undefined) {
    throw new MeshError("RUNS_AS_ROOT", `${refusal} (pod: "${podFullName(pod)}", container: ${container.name})`);
  }
  const ofImage = ofPod.supplementalGroupsPolicy === "Strict" ? [] : (account?.groups ?? []);
  const ofFiles = ofPod.fsGroup === undefined ? [] : [ofPod.fsGroup];
  const groups = [gid, ...ofImage, ...(ofPod.supplementalGroups ?? []), ...ofFiles];
  return {
    uid,
    gid,
    groups: [...new Set(groups)],
    capabilities: own.privileged ? "all" : capabilitySet(own.capabilities),
    noNewPrivileges: own.allowPrivilegeEscalation === false && !own.privileged,
  };
}

function whyPerhapsRoot(chosen: number | undefined, uid: number, imageName: string | undefined): string | undefined {
  if (chosen === undefined && imageName !== undefined) {
    return `container has runAsNonRoot and image has non-numeric user (${imageName}), cannot verify user is non-root`;
  }
  if (uid !== 0) return undefined;
  if (chosen === 0) return "container's runAsUser breaks non-root policy";
  return "container has runAsNonRoot and image will run as root";
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
    `--groups=${groups.join(",")}`,
    "--inh-caps=-all",
    ...(capabilities === "all"
      ? []
      : [`--bounding-set=${["-all", ...capabilities.map((name) => `+${name.toLowerCase()}`)].join(",")}`]),
    ...(identity.noNewPrivileges ? ["--no-new-privs"] : []),
    "--pdeathsig=KILL",
  ];
}
