import { once } from "node:events";
import { connect } from "node:http2";
import { connect as connectSocket } from "node:net";

/** An empty protobuf message in gRPC's frame: not compressed, no bytes. */
const EMPTY_MESSAGE = Buffer.alloc(5);
const OK = "0";
const TIMEOUT_MS = 5000;

/**
 * Asks what a kubelet asks first and ends over: the runtime's version. A containerd that listens may still be reading
 * what it kept, and refuses until then. Never throws.
 */
export async function criAnswers(socket: string): Promise<boolean> {
  const session = connect("http://localhost", { createConnection: () => connectSocket(socket) });
  // Told by the request too.
  session.on("error", () => {});
  try {
    const request = session.request({
      ":method": "POST",
      ":path": "/runtime.v1.RuntimeService/Version",
      "content-type": "application/grpc",
      te: "trailers",
    });
    let status: unknown;
    // A refusal without a message has its status in the headers.
    for (const part of ["response", "trailers"]) {
      request.on(part, (headers: Record<string, unknown>) => {
        status = headers["grpc-status"] ?? status;
      });
    }
    request.end(EMPTY_MESSAGE);
    request.resume();
    await once(request, "end", { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return status === OK;
  } catch {
    return false;
  } finally {
    session.destroy();
  }
}
