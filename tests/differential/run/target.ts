// One server as a client sees it: TLS connections kept open, one pool for each user.
import type { IncomingMessage } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
import type { CertificateAndKey } from "../../../src/pki/issue-certificate.ts";
import type { Answer, Json } from "../step.ts";
import { isMap, parse } from "./fill-in.ts";

export interface TargetRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly user: string;
}

export interface OpenWatch {
  /** Reads until `isLast` accepts an event, the server ends the stream, or `timeoutMs` pass without a new event. */
  collect(isLast: (event: Json) => boolean, timeoutMs: number): Promise<Answer>;
  close(): void;
}

/** A fault stands between the sequences and the embedded server as a wrapper of this. */
export interface Target {
  readonly name: string;
  readonly url: string;
  /** Names of the server's own FlowSchemas and PriorityLevelConfigurations by uid. */
  readonly flows: ReadonlyMap<string, string>;
  send(request: TargetRequest): Promise<Answer>;
  /** Resolves when the answer's head is there. */
  watch(request: TargetRequest): Promise<OpenWatch>;
  close(): void;
}

export interface TargetOptions {
  readonly name: string;
  readonly url: string;
  readonly caPem: string;
  /** By user name; a user without an entry shows no certificate. */
  readonly identities: ReadonlyMap<string, CertificateAndKey>;
}

const FLOWS = "/apis/flowcontrol.apiserver.k8s.io/v1";
const FLOWS_TIMEOUT_MS = 60_000;

/** As soon as the server answers by the last of its own FlowSchemas: a real one reads them a moment after it is ready. */
async function readFlows(target: Target): Promise<Map<string, string>> {
  const ask = (path: string, user: string) => target.send({ method: "GET", path, headers: {}, user });
  const deadline = Date.now() + FLOWS_TIMEOUT_MS;
  for (;;) {
    const flows = new Map<string, string>();
    for (const resource of ["flowschemas", "prioritylevelconfigurations"]) {
      const { text } = await ask(`${FLOWS}/${resource}`, "admin");
      const list = parse(text);
      const items = isMap(list) && Array.isArray(list["items"]) ? list["items"] : [];
      for (const item of items) {
        const metadata = isMap(item) && isMap(item["metadata"]) ? item["metadata"] : {};
        flows.set(String(metadata["uid"]), `<${resource}/${String(metadata["name"])}>`);
      }
    }
    const { headers } = await ask("/version", "carol");
    if (flows.get(String(headers["x-kubernetes-pf-flowschema-uid"])) === "<flowschemas/global-default>") return flows;
    if (Date.now() > deadline) throw new Error(`${target.name} names no flow: ${JSON.stringify(headers)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const REQUEST_TIMEOUT_MS = 60_000;

/** Resolves when the server tells flows. */
export async function createTarget(options: TargetOptions): Promise<Target> {
  const target = targetOf(options);
  return { ...target, flows: await readFlows(target) };
}

function targetOf({ name, url, caPem, identities }: TargetOptions): Target {
  const agents = new Map<string, Agent>();
  const agentOf = (user: string): Agent => {
    let agent = agents.get(user);
    if (agent === undefined) {
      const identity = identities.get(user);
      agent = new Agent({
        keepAlive: true,
        maxSockets: 64,
        ca: caPem,
        ...(identity === undefined ? {} : { cert: identity.certificatePem, key: identity.privateKeyPem }),
      });
      agents.set(user, agent);
    }
    return agent;
  };
  const open = (asked: TargetRequest, tries = 2): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const headers: Record<string, string | number> = { ...asked.headers };
      if (asked.body !== undefined) headers["content-length"] = Buffer.byteLength(asked.body);
      const outgoing = httpsRequest(
        `${url}${asked.path}`,
        { method: asked.method, headers, agent: agentOf(asked.user), timeout: REQUEST_TIMEOUT_MS },
        resolve,
      );
      outgoing.once("timeout", () => outgoing.destroy(new Error("no answer in time")));
      outgoing.once("error", (error: NodeJS.ErrnoException) => {
        // The server gave an idle connection up in the moment in which it was used again: it has read nothing.
        const wasIdle = outgoing.reusedSocket && error.code === "ECONNRESET" && tries > 0;
        if (wasIdle) open(asked, tries - 1).then(resolve, reject);
        else reject(error);
      });
      outgoing.end(asked.body);
    });
  return {
    name,
    url,
    flows: new Map(),
    async send(asked) {
      try {
        const response = await open(asked);
        return { status: response.statusCode ?? 0, headers: headersOf(response), text: await textOf(response) };
      } catch (error) {
        return { status: 0, headers: {}, text: "", failure: String(error) };
      }
    },
    async watch(asked) {
      try {
        return watchOf(await open(asked));
      } catch (error) {
        return failedWatch({ status: 0, headers: {}, text: "", failure: String(error) });
      }
    },
    close() {
      for (const agent of agents.values()) agent.destroy();
    },
  };
}

function headersOf(response: IncomingMessage): Record<string, string | string[]> {
  const found: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(response.headersDistinct)) {
    if (value !== undefined) found[name] = value.length === 1 ? (value[0] ?? "") : value;
  }
  return found;
}

async function textOf(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString();
}

async function watchOf(response: IncomingMessage): Promise<OpenWatch> {
  const status = response.statusCode ?? 0;
  const headers = headersOf(response);
  if (status !== 200) return failedWatch({ status, headers, text: await textOf(response) });
  const events: Json[] = [];
  let rest = "";
  let ended = false;
  let wake: () => void = () => {};
  response.on("data", (piece: Buffer) => {
    const lines = (rest + piece.toString()).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line !== "") events.push(parsed(line));
    wake();
  });
  const end = () => {
    ended = true;
    wake();
  };
  response.once("end", end);
  response.once("close", end);
  response.once("error", end);
  return {
    async collect(isLast, timeoutMs) {
      let seen = 0;
      let over = false;
      while (!over) {
        while (seen < events.length && !over) over = isLast(events[seen++] ?? null);
        if (over || ended) break;
        const more = await waitFor((resolve) => {
          wake = resolve;
        }, timeoutMs);
        if (!more && seen === events.length) {
          events.push({ type: "(no further event in time)" });
          seen++;
          over = true;
        }
      }
      response.destroy();
      return { status, headers, text: "", events: events.slice(0, seen) };
    },
    close: () => response.destroy(),
  };
}

function failedWatch(answer: Answer): OpenWatch {
  return { collect: async () => answer, close() {} };
}

function parsed(line: string): Json {
  try {
    return JSON.parse(line) as Json;
  } catch {
    return { type: "(no JSON)", line };
  }
}

/** True when woken, false when the time is over. */
function waitFor(arm: (wake: () => void) => void, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), timeoutMs);
    arm(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
