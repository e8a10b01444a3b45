// The HTTPS side of injection and validation, called by the API server.
import type { IncomingMessage, RequestListener } from "node:http";
import type { Logger } from "#base/logger";
import { errorMessage } from "#base/mesh-error";
import { admitPod, parseAdmissionReview } from "#inject/admission";
import type { InjectionWatch } from "./injection-watch.ts";
import { validateObject } from "./validate-object.ts";

/** What the webhook counts. */
export interface InjectionMeters {
  request(): void;
  outcome(result: "injected" | "skipped" | "failed"): void;
}

export interface WebhookOptions {
  readonly injection: InjectionWatch;
  readonly meters: InjectionMeters;
  readonly logger: Logger;
}

interface WebhookAnswer {
  readonly status: number;
  readonly body: unknown;
}

const MAX_BODY_BYTES = 8 << 20;

/** Handles POST /inject, /inject/cluster/C/net/N and /validate. */
export function webhookHandler(options: WebhookOptions): RequestListener {
  return (request, response) => {
    const answer = async (): Promise<WebhookAnswer> => {
      const path = (request.url ?? "/").split("?")[0] ?? "/";
      if (request.method !== "POST") return refusal(405, "webhooks are called by POST");
      if (path === "/inject" || path.startsWith("/inject/")) return inject(await readJson(request), path, options);
      if (path === "/validate" || path.startsWith("/validate/"))
        return { status: 200, body: validateObject(await readJson(request)) };
      return refusal(404, `no webhook at ${path}; there are /inject and /validate`);
    };
    answer()
      .catch((thrown: unknown) => refusal(400, errorMessage(thrown)))
      .then(({ status, body }) => {
        response.writeHead(status, { "content-type": "application/json" });
        response.end(JSON.stringify(body));
      })
      .catch((thrown: unknown) =>
        options.logger.debug({ error: errorMessage(thrown) }, "a webhook's caller went away"),
      );
  };
}

function inject(body: unknown, path: string, options: WebhookOptions): WebhookAnswer {
  options.meters.request();
  const settings = options.injection.settings();
  if (settings === undefined) {
    options.meters.outcome("failed");
    return refusal(503, `pods cannot be injected: ${options.injection.problem() ?? "no settings"}`);
  }
  const outcome = admitPod(parseAdmissionReview(body), settings, path);
  options.meters.outcome(outcome.result);
  const level = outcome.result === "failed" ? "warn" : "info";
  options.logger[level]({ pod: outcome.pod, result: outcome.result, why: outcome.why }, "injection");
  return { status: 200, body: outcome.answer };
}

function refusal(status: number, message: string): WebhookAnswer {
  return { status, body: { message } };
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > MAX_BODY_BYTES) throw new Error(`the body is longer than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk as Buffer);
  }
  return JSON.parse(Buffer.concat(chunks).toString("utf8"));
}
