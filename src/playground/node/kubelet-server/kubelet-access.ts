// Who may ask this node what: client certificates and tokens for who, the API server's own rules for what, as a kubelet
// with webhook authorisation does it. Nobody is let in unnamed.
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import { Kinds } from "#api/kinds";
import type { SubjectAccessReview, TokenReview } from "#api/kubernetes/gen/types";
import type { Clock } from "#base/clock";
import { MeshError } from "#base/mesh-error";
import type { KubeClient } from "#kube/kube-client";

interface KubeletUser {
  readonly name: string;
  readonly groups: readonly string[];
}

export interface KubeletAccess {
  /** Throws MeshError UNAUTHORIZED or FORBIDDEN in a kubelet's words. */
  check(request: IncomingMessage): Promise<void>;
}

/** Answers of the API server are trusted for as long as a kubelet does: what is allowed for longer. */
const REMEMBER_MS = { allowed: 300_000, denied: 30_000 } as const;
const MOST_REMEMBERED = 1000;
/** They may do anything, whatever the API server says or cannot say. */
const MASTERS = "system:masters";
const VERBS: Readonly<Record<string, string>> = {
  GET: "get",
  HEAD: "get",
  POST: "create",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};
const SUBRESOURCES: Readonly<Record<string, string>> = {
  stats: "stats",
  metrics: "metrics",
  logs: "log",
  checkpoint: "checkpoint",
};
/** Paths with a right of their own, beside that to the whole proxy. */
const FINE: Readonly<Record<string, string>> = {
  pods: "pods",
  runningpods: "pods",
  healthz: "healthz",
  configz: "configz",
};

/** The subresources of `nodes` that a request needs, each of which is enough: the first is the narrower one. */
export function neededSubresources(path: string): string[] {
  const first = path.split("/")[1] ?? "";
  const own = SUBRESOURCES[first];
  if (own !== undefined) return [own];
  const fine = FINE[first];
  return fine === undefined ? ["proxy"] : [fine, "proxy"];
}

export function createKubeletAccess(client: KubeClient, nodeName: string, clock: Clock): KubeletAccess {
  const remembered = new Map<string, { readonly allowed: boolean; readonly until: number }>();
  const ask = async (user: KubeletUser, verb: string, subresource: string) => {
    const spec = {
      user: user.name,
      groups: [...user.groups],
      resourceAttributes: { verb, group: "", version: "v1", resource: "nodes", subresource, name: nodeName },
    };
    const review = { apiVersion: "authorization.k8s.io/v1", kind: "SubjectAccessReview", spec };
    const answer = await client.create<SubjectAccessReview>(Kinds.SubjectAccessReview, review);
    return answer.status?.allowed === true;
  };
  const mayDo = async (user: KubeletUser, verb: string, subresource: string) => {
    const key = JSON.stringify([user, verb, subresource]);
    const known = remembered.get(key);
    if (known && known.until > clock.now()) return known.allowed;
    const allowed = await ask(user, verb, subresource);
    if (remembered.size >= MOST_REMEMBERED) remembered.clear();
    remembered.set(key, { allowed, until: clock.now() + REMEMBER_MS[allowed ? "allowed" : "denied"] });
    return allowed;
  };
  return {
    async check(request) {
      const user = certificateUser(request) ?? (await tokenUser(client, request));
      if (user === undefined) throw new MeshError("UNAUTHORIZED", "Unauthorized");
      if (user.groups.includes(MASTERS)) return;
      const verb = VERBS[request.method ?? "GET"] ?? "get";
      const wanted = neededSubresources(new URL(request.url ?? "/", "https://node").pathname);
      for (const subresource of wanted) if (await mayDo(user, verb, subresource)) return;
      const what = `user=${user.name}, verb=${verb}, resource=nodes, subresource(s)=[${wanted.join(" ")}]`;
      throw new MeshError("FORBIDDEN", `Forbidden (${what})`);
    },
  };
}

function certificateUser({ socket }: IncomingMessage): KubeletUser | undefined {
  const tls = socket as TLSSocket;
  if (tls.authorized !== true) return undefined;
  const subject = tls.getPeerCertificate().subject as { CN?: string; O?: string | string[] } | undefined;
  if (!subject?.CN) return undefined;
  return { name: subject.CN, groups: [subject.O ?? []].flat() };
}

async function tokenUser(client: KubeClient, { headers }: IncomingMessage): Promise<KubeletUser | undefined> {
  const token = /^Bearer (\S+)$/i.exec(headers.authorization ?? "")?.[1];
  if (token === undefined) return undefined;
  const review = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec: { token } };
  const { status } = await client.create<TokenReview>(Kinds.TokenReview, review);
  if (status?.authenticated !== true || !status.user?.username) return undefined;
  return { name: status.user.username, groups: status.user.groups ?? [] };
}
