// API servers call our webhooks only when the webhook configuration names the root of our certificate. Install cannot
// know that root; the control plane writes it, and writes it again when an install or a person takes it away.
import { LABELS } from "#api/constants/labels";
import { Kinds, type ResourceType } from "#api/kinds";
import type { MutatingWebhookConfiguration, ValidatingWebhookConfiguration } from "#api/kubernetes/gen/types";
import type { Clock } from "#base/clock";
import type { Component } from "#base/component";
import type { Logger } from "#base/logger";
import { type Informer, startInformer } from "#kube/informer";
import { isNotFound, type KubeClient, KubeError } from "#kube/kube-client";
import { WorkQueue } from "#kube/work-queue";
import type { Authority } from "./authority.ts";
import { RETRY_PAUSES } from "./retry-pauses.ts";

type WebhookConfiguration = MutatingWebhookConfiguration | ValidatingWebhookConfiguration;

export interface WebhookBundlesOptions {
  readonly client: KubeClient;
  readonly authority: Authority;
  /** Namespace of the control plane: webhooks that call services elsewhere are not ours. */
  readonly namespace: string;
  readonly revision: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

const KINDS: Readonly<Record<string, ResourceType>> = {
  mutating: Kinds.MutatingWebhookConfiguration,
  validating: Kinds.ValidatingWebhookConfiguration,
};

/** Keeps caBundle of this revision's webhook configurations equal to the CA's root bundle. */
export function webhookBundles(options: WebhookBundlesOptions): Component {
  return {
    name: "webhook-bundles",
    async run(signal) {
      const { client, authority, clock, logger, revision } = options;
      const informers = new Map<string, Informer<WebhookConfiguration>>();
      const reconcile = (key: string) => ensureBundle(key, informers, options);
      const queue = new WorkQueue({ name: "webhook-bundles", clock, logger, reconcile, ...RETRY_PAUSES });
      for (const [kind, type] of Object.entries(KINDS)) {
        const informer = startInformer<WebhookConfiguration>({
          client,
          type,
          labelSelector: `${LABELS.revision}=${revision}`,
          logger,
          signal,
          onChange: ({ object }) => queue.add(`${kind}/${object.metadata?.name}`),
        });
        informers.set(kind, informer);
      }
      const unsubscribe = authority.subscribe(() => {
        for (const [kind, informer] of informers) {
          for (const { metadata } of informer.list()) queue.add(`${kind}/${metadata?.name}`);
        }
      });
      await queue.run(signal);
      unsubscribe();
    },
  };
}

async function ensureBundle(
  key: string,
  informers: ReadonlyMap<string, Informer<WebhookConfiguration>>,
  options: WebhookBundlesOptions,
): Promise<void> {
  const [kind = "", name = ""] = key.split("/");
  const type = KINDS[kind];
  const configuration = informers.get(kind)?.get(undefined, name);
  if (type === undefined || configuration === undefined) return;
  const patched = withBundle(configuration, options);
  if (patched === undefined) return;
  try {
    await options.client.replace<WebhookConfiguration>(type, patched);
    options.logger.info({ kind: type.kind, name }, "wrote caBundle");
  } catch (thrown) {
    // Changed or deleted meanwhile: the informer tells, and the key comes back.
    const raced = isNotFound(thrown) || (thrown instanceof KubeError && thrown.status === 409);
    if (!raced) throw thrown;
  }
}

/** Undefined when nothing is to be written. A validator that waited for its bundle is made strict at the same time. */
export function withBundle(
  configuration: WebhookConfiguration,
  options: Pick<WebhookBundlesOptions, "authority" | "namespace">,
): WebhookConfiguration | undefined {
  const bundle = Buffer.from(options.authority.current.rootsPem).toString("base64");
  const validating = configuration.webhooks?.some((webhook) => webhook.name.endsWith("validation.istio.io")) ?? false;
  let changed = false;
  const webhooks = (configuration.webhooks ?? []).map((webhook) => {
    if (webhook.clientConfig.service?.namespace !== options.namespace) return webhook;
    const strict = validating && webhook.failurePolicy === "Ignore" ? { failurePolicy: "Fail" } : {};
    if (webhook.clientConfig.caBundle === bundle && !("failurePolicy" in strict)) return webhook;
    changed = true;
    return { ...webhook, ...strict, clientConfig: { ...webhook.clientConfig, caBundle: bundle } };
  });
  return changed ? ({ ...configuration, webhooks } as WebhookConfiguration) : undefined;
}
