// How a fault is planted: a wrapper of the embedded server that changes requests on their way in or answers on their way
// out.
import { isMap, parse } from "../run/fill-in.ts";
import type { Target, TargetRequest } from "../run/target.ts";
import type { Answer, Json, JsonMap } from "../step.ts";

export interface Fault {
  readonly name: string;
  /** Areas that must find it. */
  readonly areas: readonly string[];
  wrap(target: Target): Target;
}

type Change = (body: JsonMap, request: TargetRequest, answer: Answer) => JsonMap | undefined;

/** Changes JSON answers; undefined leaves one as it is. */
export const answers =
  (change: Change) =>
  (target: Target): Target => ({
    ...target,
    async send(request) {
      const answer = await target.send(request);
      const body = parse(answer.text);
      const changed = isMap(body) ? change(body, request, answer) : undefined;
      return changed === undefined ? answer : { ...answer, text: JSON.stringify(changed) };
    },
  });

export const requests =
  (change: (request: TargetRequest) => TargetRequest) =>
  (target: Target): Target => ({
    ...target,
    send: (request) => target.send(change(request)),
    watch: (request) => target.watch(change(request)),
  });

export const statuses =
  (change: (answer: Answer, request: TargetRequest) => number) =>
  (target: Target): Target => ({
    ...target,
    async send(request) {
      const answer = await target.send(request);
      return { ...answer, status: change(answer, request) };
    },
  });

export const events =
  (change: (events: readonly Json[]) => readonly Json[]) =>
  (target: Target): Target => ({
    ...target,
    async watch(request) {
      const open = await target.watch(request);
      return {
        ...open,
        async collect(isLast, timeoutMs) {
          const answer = await open.collect(isLast, timeoutMs);
          return answer.events === undefined ? answer : { ...answer, events: change(answer.events) };
        },
      };
    },
  });

export const metadataOf = (body: JsonMap): JsonMap => (isMap(body["metadata"]) ? body["metadata"] : {});

export const withMetadata = (body: JsonMap, change: JsonMap): JsonMap => ({
  ...body,
  metadata: { ...metadataOf(body), ...change },
});

export const isApply = ({ method, headers }: TargetRequest) =>
  method === "PATCH" && (headers["content-type"] ?? "").startsWith("application/apply-patch");

export const withQuery = (request: TargetRequest, change: (query: URLSearchParams) => void): TargetRequest => {
  const [path = "", text = ""] = request.path.split("?");
  const query = new URLSearchParams(text);
  change(query);
  const changed = query.toString();
  return { ...request, path: changed === "" ? path : `${path}?${changed}` };
};

export const isWrite = ({ method }: TargetRequest) => method === "PUT" || method === "PATCH";

export const pathOf = ({ path }: TargetRequest) => path.split("?")[0] ?? "";
