// Who is calling: a client certificate of the mesh, or a service account token that its cluster's API server vouches for.
import { NAMES } from "#api/constants/names";
import { Kinds } from "#api/kinds";
import type { TokenReview } from "#api/kubernetes/gen/types";
import { errorMessage } from "#base/mesh-error";
import { GrpcError } from "#grpc/grpc-error";
import { type KubeClient, KubeError } from "#kube/kube-client";
import { buildSpiffeId, parseSpiffeId, type SpiffeId } from "#pki/spiffe";

export interface CallerIdentity extends SpiffeId {
  readonly uri: string;
  readonly by: "certificate" | "token";
}

/** What a call shows of its caller. */
export interface Credentials {
  /** URI names of a verified client certificate. */
  readonly uris: readonly string[];
  readonly authorization?: string | undefined;
  /** Metadata `clusterid`: the cluster whose API server knows the token. */
  readonly clusterId?: string | undefined;
  readonly signal?: AbortSignal;
}

export interface AuthenticatorOptions {
  readonly ownCluster: string;
  /** The client of a cluster of this mesh; undefined for an unknown one. */
  readonly clientOf: (cluster: string) => KubeClient | undefined;
  readonly trustDomains: () => { readonly own: string; readonly aliases: readonly string[] };
}

/** Throws GrpcError: unauthenticated for what proves nothing, unavailable when the API server cannot be asked. */
export type Authenticate = (credentials: Credentials) => Promise<CallerIdentity>;

const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/;

export function createAuthenticator(options: AuthenticatorOptions): Authenticate {
  return async (credentials) => {
    const { own, aliases } = options.trustDomains();
    for (const uri of credentials.uris) {
      const id = parseSpiffeId(uri);
      if (id !== undefined && [own, ...aliases].includes(id.trustDomain)) return { ...id, uri, by: "certificate" };
    }
    const token = bearerToken(credentials.authorization);
    if (token === undefined) throw refuse("neither a client certificate of the mesh nor a bearer token was sent");
    const { namespace, serviceAccount } = await reviewToken(token, credentials, options);
    const id = { trustDomain: own, namespace, serviceAccount };
    return { ...id, uri: buildSpiffeId(id), by: "token" };
  };
}

function bearerToken(header: string | undefined): string | undefined {
  return /^bearer (\S+)$/i.exec(header ?? "")?.[1];
}

async function reviewToken(
  token: string,
  credentials: Credentials,
  options: AuthenticatorOptions,
): Promise<{ namespace: string; serviceAccount: string }> {
  const cluster = credentials.clusterId || options.ownCluster;
  const client = options.clientOf(cluster);
  if (client === undefined) {
    throw refuse(`the token is said to be of cluster ${cluster}, which is not a cluster of this mesh`);
  }
  const status = await askApiServer(client, token, credentials);
  if (status?.authenticated !== true) {
    throw refuse(`cluster ${cluster} does not know the token${status?.error ? `: ${status.error}` : ""}`);
  }
  if (status.audiences !== undefined && !status.audiences.includes(NAMES.tokenAudience)) {
    throw refuse(`the token is not for the audience ${NAMES.tokenAudience}`);
  }
  const [, namespace, serviceAccount] = SERVICE_ACCOUNT.exec(status.user?.username ?? "") ?? [];
  if (namespace === undefined || serviceAccount === undefined) {
    throw refuse(`the token is of ${status.user?.username || "nobody"}, which is not a service account`);
  }
  return { namespace, serviceAccount };
}

async function askApiServer(
  client: KubeClient,
  token: string,
  { signal }: Credentials,
): Promise<TokenReview["status"]> {
  const review: TokenReview = { spec: { token, audiences: [NAMES.tokenAudience] } };
  try {
    return (await client.create<TokenReview>(Kinds.TokenReview, review, signal === undefined ? {} : { signal })).status;
  } catch (thrown) {
    const known = thrown instanceof KubeError && thrown.status > 0 && thrown.status < 500;
    if (known) throw refuse(`the API server refused to review the token: ${thrown.message}`);
    throw new GrpcError("unavailable", `the token could not be reviewed: ${errorMessage(thrown)}`);
  }
}

function refuse(why: string): GrpcError {
  return new GrpcError("unauthenticated", `authentication failure: ${why}`);
}
