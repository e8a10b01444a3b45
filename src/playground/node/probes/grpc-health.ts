// grpc.health.v1.Health/Check over plain HTTP/2, in the words that clients know from kubelets.
import { type ClientHttp2Session, connect as http2Connect, type IncomingHttpHeaders } from "node:http2";
import type { GRPCAction } from "#api/kubernetes/gen/types";

interface Health {
  readonly ok: boolean;
  readonly output: string;
}

/** grpc.health.v1.HealthCheckResponse.ServingStatus, by number. */
const STATUSES = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
const UNIMPLEMENTED = 12;
const CODES = [
  ...["OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists"],
  ...["PermissionDenied", "ResourceExhausted", "FailedPrecondition", "Aborted", "OutOfRange", "Unimplemented"],
  ...["Internal", "Unavailable", "DataLoss", "Unauthenticated"],
];

/** `address` is host:port. Never throws. */
export function grpcHealth({ service = "" }: GRPCAction, address: string, timeoutMs: number): Promise<Health> {
  const within = `${timeoutMs / 1000}s`;
  return new Promise((resolve) => {
    const session = http2Connect(`http://${address}`);
    let connected = false;
    const finish = (result: Health) => {
      clearTimeout(timer);
      session.destroy();
      resolve(result);
    };
    const fail = (output: string) => finish({ ok: false, output });
    const noConnection = `timeout: failed to connect service "${address}" within ${within}: context deadline exceeded`;
    const timer = setTimeout(
      () => fail(connected ? `timeout: health rpc did not complete within ${within}` : noConnection),
      timeoutMs,
    );
    session.once("connect", () => {
      connected = true;
    });
    const onError = (error: Error) =>
      fail(connected ? failedRpc(CODES.indexOf("Unavailable"), error.message) : noConnection);
    session.once("error", onError);
    ask(session, service, onError).then(finish, onError);
  });
}

/** One message with the service in field 1; field 1 of the answer is a number of STATUSES, none of it is 0. */
function ask(session: ClientHttp2Session, service: string, onError: (error: Error) => void): Promise<Health> {
  const name = Buffer.from(service);
  const length = name.length < 128 ? [name.length] : [(name.length & 127) | 128, name.length >> 7];
  const message = name.length ? Buffer.concat([Buffer.from([0x0a, ...length]), name]) : name;
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  const stream = session.request({
    ":method": "POST",
    ":path": "/grpc.health.v1.Health/Check",
    "content-type": "application/grpc",
    te: "trailers",
  });
  const chunks: Buffer[] = [];
  let facts: IncomingHttpHeaders = {};
  stream.once("error", onError);
  stream.on("response", (headers) => {
    facts = { ...facts, ...headers };
  });
  stream.on("trailers", (headers) => {
    facts = { ...facts, ...headers };
  });
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.end(Buffer.concat([head, message]));
  return new Promise((resolve) => stream.once("end", () => resolve(verdict(facts, Buffer.concat(chunks)))));
}

function verdict(facts: IncomingHttpHeaders, body: Buffer): Health {
  const status = Number(facts["grpc-status"] ?? (String(facts[":status"]) === "200" ? 0 : CODES.indexOf("Unknown")));
  const said = decodeURIComponent(String(facts["grpc-message"] ?? ""));
  if (status === UNIMPLEMENTED) {
    const what = "error: this server does not implement the grpc health protocol (grpc.health.v1.Health)";
    return { ok: false, output: `${what}: ${said}` };
  }
  if (status !== 0) return { ok: false, output: failedRpc(status, said) };
  const payload = body.subarray(5);
  const serving = payload[0] === 0x08 ? (payload[1] ?? 0) : 0;
  if (serving === 1) return { ok: true, output: "service healthy" };
  return { ok: false, output: `service unhealthy (responded with "${STATUSES[serving] ?? serving}")` };
}

function failedRpc(code: number, message: string): string {
  return `error: health rpc probe failed: rpc error: code = ${CODES[code] ?? `Code(${code})`} desc = ${message}`;
}
