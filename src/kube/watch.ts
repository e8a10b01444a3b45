import type { KubeObject } from "#api/kubernetes/object";
import type { Transport } from "./http-transport.ts";
import { KubeError, type WatchEvent } from "./kube-client.ts";
import type { ServerPulse } from "./server-pulse.ts";

interface WatchRequest {
  readonly path: string;
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
  /** Ends the watch when the server does not answer any more. */
  readonly pulse?: ServerPulse;
}

/** Servers end a watch after a random five to ten minutes by themselves; this bound only frees forgotten ones. */
const SERVER_TIMEOUT_SECONDS = "600";

/**
 * The events of one watch connection, each line of its body one JSON document. A bookmark of the version that was asked
 * for comes first, as soon as the server accepts: a quiet watch is known to work.
 */
export async function* watchEvents<T extends KubeObject>(
  transport: Transport,
  request: WatchRequest,
): AsyncGenerator<WatchEvent<T>> {
  const body = await transport.stream({
    method: "GET",
    path: request.path,
    query: { ...request.query, watch: "true", allowWatchBookmarks: "true", timeoutSeconds: SERVER_TIMEOUT_SECONDS },
    signal: request.signal,
    endless: true,
  });
  const release = request.pulse?.follow((error) => body.destroy(error));
  let rest: Buffer = Buffer.alloc(0);
  try {
    yield { type: "BOOKMARK", resourceVersion: request.query["resourceVersion"] ?? "" };
    for await (const chunk of body) {
      request.pulse?.heard();
      const data: Buffer = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer]);
      let start = 0;
      for (let end = data.indexOf(10, start); end >= 0; end = data.indexOf(10, start)) {
        if (end > start) yield eventOf<T>(data.toString("utf8", start, end));
        start = end + 1;
      }
      rest = data.subarray(start);
    }
  } catch (thrown) {
    if (thrown instanceof KubeError || request.signal?.aborted) throw thrown;
    throw new KubeError(0, "WatchBroken", `the watch of ${request.path} broke`, { cause: thrown });
  } finally {
    release?.();
    body.destroy();
  }
}

function eventOf<T extends KubeObject>(line: string): WatchEvent<T> {
  const event = JSON.parse(line) as { type: string; object: T & { code?: number; reason?: string; message?: string } };
  if (event.type === "ERROR") {
    const { code = 0, reason = "WatchError", message = "the server ended the watch" } = event.object;
    throw new KubeError(code, reason, message);
  }
  if (event.type === "BOOKMARK")
    return { type: "BOOKMARK", resourceVersion: event.object.metadata?.resourceVersion ?? "" };
  return { type: event.type as "ADDED" | "MODIFIED" | "DELETED", object: event.object };
}
