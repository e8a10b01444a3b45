// Carries one AdmissionReview to a webhook by HTTPS and back. Services are dialled at their ClusterIP under the TLS
// name NAME.NS.svc; connections stay open between calls.
import { Agent, type RequestOptions, request } from "node:https";
import { errorMessage } from "#base/mesh-error";
import type { JsonObject, ObjectAccess } from "../contract.ts";
import { numberAt, objectAt, objectsAt, stringAt } from "../json.ts";

/** Below the idle timeouts that servers usually have, so that a kept connection is rarely a dead one. */
const KEEP_ALIVE_MS = 20_000;
const MAX_ANSWER_BYTES = 16 << 20;

interface Destination {
  /** `https://NAME.NS.svc:443`, as error messages show it: with the port, even where URL would drop it. */
  readonly origin: string;
  readonly url: URL;
  readonly options: RequestOptions;
  /** Looked up last, so that a missing service is told with the URL. */
  address(): string;
}

export interface WebhookCall {
  /** url or service, and caBundle. */
  readonly clientConfig: JsonObject;
  /** How long the answer may take. */
  readonly seconds: number;
}

export interface WebhookTransport {
  /** POSTs the body; resolves with the answer of a 200. Throws an Error in the words of Kubernetes' own messages. */
  post(call: WebhookCall, body: string): Promise<string>;
}

export function createWebhookTransport(objects: ObjectAccess): WebhookTransport {
  const agent = new Agent({ keepAlive: true, timeout: KEEP_ALIVE_MS, maxFreeSockets: 4 });
  return {
    async post({ clientConfig, seconds }, body) {
      const { origin, url, options, address } = destination(clientConfig, objects);
      url.searchParams.set("timeout", `${seconds}s`);
      const path = `${url.pathname}${url.search}`;
      const signal = AbortSignal.timeout(seconds * 1000);
      try {
        return await postOnce({ ...options, host: address(), path, agent, signal }, body, true);
      } catch (thrown) {
        if (thrown instanceof AnswerError) throw thrown;
        throw new Error(`Post ${JSON.stringify(origin + path)}: ${goWords(thrown)}`);
      }
    },
  };
}

function destination(clientConfig: JsonObject, objects: ObjectAccess): Destination {
  const caBundle = stringAt(clientConfig, "caBundle");
  const ca = caBundle === "" ? {} : { ca: Buffer.from(caBundle, "base64") };
  const given = stringAt(clientConfig, "url");
  if (given !== "") {
    const url = new URL(given);
    const options = { port: url.port || 443, headers: { host: url.host }, ...ca };
    return { origin: url.origin, url, options, address: () => bare(url.hostname) };
  }
  const service = objectAt(clientConfig, "service");
  const name = stringAt(service, "name");
  const namespace = stringAt(service, "namespace");
  const port = numberAt(service, "port") ?? 443;
  const servername = `${name}.${namespace}.svc`;
  const authority = `${servername}:${port}`;
  const path = stringAt(service, "path");
  const url = new URL(`https://${authority}${path.startsWith("/") || path === "" ? path : `/${path}`}`);
  const address = () => clusterIp(objects, { namespace, name, port });
  const options = { port, servername, headers: { host: authority }, ...ca };
  return { origin: `https://${authority}`, url, options, address };
}

const bare = (hostname: string) => hostname.replace(/^\[|\]$/g, "");

function clusterIp(objects: ObjectAccess, at: { namespace: string; name: string; port: number }): string {
  const service = objects.get("", "services", at.namespace, at.name);
  if (service === undefined) throw new Error(`service ${JSON.stringify(at.name)} not found`);
  if (!objectsAt(service, "spec", "ports").some((port) => port["port"] === at.port)) {
    throw new Error(`no service port ${at.port} found for service ${JSON.stringify(at.name)}`);
  }
  const address = stringAt(service, "spec", "clusterIP");
  if (address === "" || address === "None") {
    throw new Error(`service ${JSON.stringify(at.name)} has no cluster IP to be dialled at`);
  }
  return address;
}

/** An answer that is none, in the words of Kubernetes' own client. */
class AnswerError extends Error {}

const ANSWERS: Readonly<Record<number, string>> = {
  400: "the server rejected our request for an unknown reason",
  401: "the server has asked for the client to provide credentials",
  404: "the server could not find the requested resource",
  405: "the server does not allow this method on the requested resource",
  409: "the server reported a conflict",
  422: "the server rejected our request due to an error in our request",
  429: "the server has received too many requests and has asked us to try again later",
  503: "the server is currently unable to handle the request",
  504: "the server was unable to return a response in the time allotted, but may still be processing the request",
};
const MOST_SHOWN = 2048;

function answerError(code: number, body: string, contentType: string): AnswerError {
  const isText = contentType === "" || contentType.startsWith("text/");
  const shown = isText ? body.slice(0, MOST_SHOWN).trim() : "unknown";
  const told = code === 403 || code === 406 || code === 415 ? shown : ANSWERS[code];
  if (told !== undefined) return new AnswerError(told);
  return new AnswerError(
    code >= 500
      ? `an error on the server (${JSON.stringify(shown)}) has prevented the request from succeeding`
      : `the server responded with the status code ${code} but did not return more information`,
  );
}

function postOnce(options: RequestOptions, body: string, mayRetry: boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = {
      ...options.headers,
      accept: "application/json, */*",
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      "user-agent": "kube-apiserver-admission",
    };
    const call = request({ ...options, method: "POST", headers }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_ANSWER_BYTES) call.destroy(new Error("the answer is longer than 16 MiB"));
        else chunks.push(chunk);
      });
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        const { statusCode = 0 } = response;
        if (statusCode >= 200 && statusCode <= 206) resolve(text);
        else reject(answerError(statusCode, text, response.headers["content-type"] ?? ""));
      });
    });
    call.on("error", (error: NodeJS.ErrnoException) => {
      // A kept connection may have died unnoticed; the webhook has not seen this request, so asking again is safe.
      const stale = call.reusedSocket && (error.code === "ECONNRESET" || error.code === "EPIPE");
      if (stale && mayRetry) postOnce(options, body, false).then(resolve, reject);
      else reject(error);
    });
    call.end(body);
  });
}

const GO_WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  EHOSTUNREACH: "no route to host",
  ENETUNREACH: "network is unreachable",
  ETIMEDOUT: "i/o timeout",
};

/** The texts that people know from Kubernetes and search for. */
function goWords(thrown: unknown): string {
  const error = thrown as NodeJS.ErrnoException & { address?: string; port?: number; hostname?: string };
  if (error.name === "AbortError" || error.name === "TimeoutError") return "context deadline exceeded";
  const words = GO_WORDS[error.code ?? ""];
  if (words !== undefined && error.address !== undefined) {
    return `dial tcp ${error.address}:${error.port}: connect: ${words}`;
  }
  if (error.code === "ENOTFOUND") return `dial tcp: lookup ${error.hostname}: no such host`;
  if (/CERT|SIGNATURE|ALTNAME|ISSUER/.test(error.code ?? "")) {
    const isUnknown = /^(?:UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/.test(error.code ?? "");
    const why = isUnknown ? "certificate signed by unknown authority" : errorMessage(thrown);
    return `tls: failed to verify certificate: x509: ${why}`;
  }
  return errorMessage(thrown);
}
