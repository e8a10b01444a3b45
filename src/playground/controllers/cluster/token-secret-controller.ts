import type { Secret, ServiceAccount } from "#api/kubernetes/gen/types";
import { objectKey } from "#api/kubernetes/object";
import type { Component } from "#base/component";
import { WorkQueue } from "#kube/work-queue";
import { type ControllerContext, controllerComponent } from "../controller.ts";
import { annotationsOf, identityOf, isBeingDeleted } from "../objects/object-meta.ts";

const TOKEN_SECRET = "kubernetes.io/service-account-token";
const ACCOUNT_NAME = "kubernetes.io/service-account.name";
const ACCOUNT_UID = "kubernetes.io/service-account.uid";

/** Whose token, and the Secret that it lives and dies with. */
export interface SecretTokenRequest {
  readonly namespace: string;
  readonly secretName: string;
  readonly serviceAccount: { readonly name: string; readonly uid: string };
}

/** Gives an endless token: the API server's `TokenSigner.signLegacy`. */
export type SignToken = (request: SecretTokenRequest) => Promise<string>;

export interface TokenSecretOptions {
  readonly signToken: SignToken;
  /** PEM of the certificate that signs the API server's. */
  readonly caCertificate: string;
}

/** Fills Secrets of type kubernetes.io/service-account-token, and deletes those whose service account is gone. */
export function createTokenSecretController(context: ControllerContext, options: TokenSecretOptions): Component {
  const { caches, clock, logger } = context;

  const reconcile = async (key: string) => {
    const secret = caches.secrets.getByKey(key);
    if (secret === undefined || secret.type !== TOKEN_SECRET || isBeingDeleted(secret)) return;
    const account = await accountOf(secret);
    if (account === undefined) {
      logger.info(
        { secret: key, serviceAccount: annotationsOf(secret)[ACCOUNT_NAME] },
        "token without account deleted",
      );
      await caches.secrets.delete(secret);
      return;
    }
    const filled = await fillTokenSecret(secret, account, options);
    if (filled !== undefined) await caches.secrets.replace(filled);
  };

  /** A missing account is believed only when the API server itself says so: the Secret may be seen first. */
  const accountOf = async (secret: Secret): Promise<ServiceAccount | undefined> => {
    const { namespace } = identityOf(secret);
    const name = annotationsOf(secret)[ACCOUNT_NAME] ?? "";
    if (name === "") return undefined;
    const account =
      caches.serviceAccounts.get(namespace, name) ?? (await caches.serviceAccounts.fetch(namespace, name));
    const wantedUid = annotationsOf(secret)[ACCOUNT_UID];
    return wantedUid && account !== undefined && identityOf(account).uid !== wantedUid ? undefined : account;
  };

  const queue = new WorkQueue({ name: "token-secret", clock, logger, reconcile });
  caches.secrets.onChange(({ object, deleted }) => {
    if (!deleted && object.type === TOKEN_SECRET) queue.add(objectKey(object));
  });
  caches.serviceAccounts.onChange(({ object, deleted }) => {
    if (!deleted) return;
    const { namespace, name } = identityOf(object);
    for (const secret of caches.secrets.inNamespace(namespace)) {
      if (secret.type === TOKEN_SECRET && annotationsOf(secret)[ACCOUNT_NAME] === name) queue.add(objectKey(secret));
    }
  });
  return controllerComponent(queue, [caches.secrets, caches.serviceAccounts]);
}

/** The Secret with what is missing in it, or undefined when nothing is. A token that is there is kept. */
export async function fillTokenSecret(
  secret: Secret,
  account: ServiceAccount,
  options: TokenSecretOptions,
): Promise<Secret | undefined> {
  const { namespace } = identityOf(secret);
  const data = secret.data ?? {};
  const wanted: Record<string, string> = {
    "ca.crt": base64(options.caCertificate),
    namespace: base64(namespace),
    token: data["token"] || base64(await options.signToken(tokenRequest(secret, account))),
  };
  const { uid } = identityOf(account);
  const complete = Object.entries(wanted).every(([key, value]) => data[key] === value);
  if (complete && annotationsOf(secret)[ACCOUNT_UID] === uid) return undefined;
  const annotations = { ...annotationsOf(secret), [ACCOUNT_UID]: uid };
  return { ...secret, metadata: { ...secret.metadata, annotations }, data: { ...data, ...wanted } };
}

function tokenRequest(secret: Secret, account: ServiceAccount): SecretTokenRequest {
  const { namespace, name, uid } = identityOf(account);
  return { namespace, secretName: identityOf(secret).name, serviceAccount: { name, uid } };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
