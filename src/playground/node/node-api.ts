// All that the pod machinery asks of the Kubernetes API, as a small interface, and its one implementation.
import { Kinds } from "#api/kinds";
import type {
  Event,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodStatus,
  TokenRequest,
} from "#api/kubernetes/gen/types";
import type { Logger } from "#base/logger";
import { errorMessage } from "#base/mesh-error";
import { isNotFound, type KubeClient, KubeError } from "#kube/kube-client";
import { statusPatch } from "./status/status-patch.ts";
import type { ClaimReader } from "./volumes/pod-claims.ts";
import type { IssuedToken } from "./volumes/pod-tokens.ts";

export interface PodEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
  /** `spec.containers{name}` when the event is about a container. */
  readonly fieldPath?: string;
}

export interface NodeApi extends ClaimReader {
  /** Tells the status; false when the pod is gone. Throws KubeError otherwise. */
  patchPodStatus(pod: Pod, status: PodStatus): Promise<boolean>;
  /** Removes the object of a pod whose containers are gone. */
  removePod(pod: Pod): Promise<void>;
  /** Throws KubeError. */
  issueToken(pod: Pod, audience: string | undefined, expirationSeconds: number): Promise<IssuedToken>;
  /** Never waits and never throws. */
  recordEvent(pod: Pod, event: PodEvent): void;
}

export function createNodeApi(client: KubeClient, nodeName: string, logger: Logger): NodeApi {
  const at = (pod: Pod) => ({ namespace: pod.metadata?.namespace ?? "default", name: pod.metadata?.name ?? "" });
  // What was told last of conditions that go by.
  const passing = new Map<string, string[]>();
  const record = eventRecorder(client, nodeName, logger);
  return {
    async patchPodStatus(pod, status) {
      const uid = pod.metadata?.uid ?? "";
      const body = { metadata: { uid }, status: statusPatch(status, goneOf(passing.get(uid), status)) };
      try {
        await client.patch(Kinds.Pod, { ...at(pod), subresource: "status" }, body, { type: "strategic" });
        const told = (status.conditions ?? []).map(({ type }) => type).filter((type) => PASSING.has(type));
        if (told.length > 0) passing.set(uid, told);
        else passing.delete(uid);
        return true;
      } catch (thrown) {
        // 409: another pod of that name has taken its place.
        if (isNotFound(thrown) || (thrown instanceof KubeError && thrown.status === 409)) return false;
        throw thrown;
      }
    },
    async removePod(pod) {
      const uid = pod.metadata?.uid;
      const { namespace, name } = at(pod);
      try {
        await client.delete(Kinds.Pod, { namespace, name }, { gracePeriodSeconds: 0, ...(uid ? { uid } : {}) });
      } catch (thrown) {
        if (!isNotFound(thrown) && !(thrown instanceof KubeError && thrown.status === 409)) throw thrown;
      }
    },
    async issueToken(pod, audience, expirationSeconds) {
      const { namespace, name } = at(pod);
      const account = pod.spec?.serviceAccountName ?? "default";
      const boundObjectRef = {
        apiVersion: "v1",
        kind: "Pod",
        name,
        ...(pod.metadata?.uid ? { uid: pod.metadata.uid } : {}),
      };
      const body: TokenRequest = {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenRequest",
        spec: { audiences: audience ? [audience] : [], expirationSeconds, boundObjectRef },
      };
      const address = { namespace, name: account, subresource: "token" };
      const answer = await client.createSubresource<TokenRequest>(Kinds.ServiceAccount, address, body);
      const { token = "", expirationTimestamp = "" } = answer.status ?? {};
      return { token, expiresAt: Date.parse(expirationTimestamp) };
    },
    getClaim: (namespace, name) => client.get<PersistentVolumeClaim>(Kinds.PersistentVolumeClaim, { namespace, name }),
    getVolume: (name) => client.get<PersistentVolume>(Kinds.PersistentVolume, { name }),
    recordEvent: record,
  };
}

/** Conditions that are no more when they are not told; the others stay as they were. */
const PASSING = new Set(["PodResizePending", "PodResizeInProgress"]);

function goneOf(before: readonly string[] = [], { conditions = [] }: PodStatus): string[] {
  return before.filter((type) => !conditions.some((condition) => condition.type === type));
}

const MAX_REMEMBERED = 1000;

/** Creates an event once and counts its repetitions. */
function eventRecorder(client: KubeClient, nodeName: string, logger: Logger): NodeApi["recordEvent"] {
  const seen = new Map<string, { name: string; count: number }>();
  let serial = Date.now();
  return (pod, event) => {
    const { namespace = "default", name = "", uid = "" } = pod.metadata ?? {};
    const now = new Date().toISOString().replace(/\.\d+Z$/, "Z");
    const key = [uid, event.reason, event.message, event.fieldPath].join("\0");
    const known = seen.get(key);
    const failed = (thrown: unknown) =>
      logger.debug(
        { pod: `${namespace}/${name}`, reason: event.reason, error: errorMessage(thrown) },
        "event not told",
      );
    if (known) {
      known.count++;
      const change = { count: known.count, lastTimestamp: now };
      client.patch(Kinds.Event, { namespace, name: known.name }, change, { type: "merge" }).catch(failed);
      return;
    }
    const eventName = `${name}.${(serial++).toString(16)}`;
    if (seen.size >= MAX_REMEMBERED) seen.clear();
    seen.set(key, { name: eventName, count: 1 });
    const object: Event = {
      apiVersion: "v1",
      kind: "Event",
      metadata: { namespace, name: eventName },
      involvedObject: {
        apiVersion: "v1",
        kind: "Pod",
        namespace,
        name,
        uid,
        ...(event.fieldPath === undefined ? {} : { fieldPath: event.fieldPath }),
      },
      type: event.type,
      reason: event.reason,
      message: event.message,
      source: { component: "kubelet", host: nodeName },
      reportingComponent: "kubelet",
      reportingInstance: nodeName,
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
    };
    client.create(Kinds.Event, object).catch(failed);
  };
}
