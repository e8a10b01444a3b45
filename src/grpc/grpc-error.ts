/** The status codes of gRPC that we send or look at. */
export const GRPC_CODES = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const;

export type GrpcCode = keyof typeof GRPC_CODES;

const NAMES: ReadonlyMap<string, string> = new Map(
  Object.entries(GRPC_CODES).map(([name, code]) => [String(code), name]),
);

function isCode(name: string | undefined): name is GrpcCode {
  return name !== undefined && Object.hasOwn(GRPC_CODES, name);
}

/** How a call ended other than well. A handler throws it to choose the status; anything else becomes `unknown`. */
export class GrpcError extends Error {
  readonly code: GrpcCode;

  constructor(code: GrpcCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = "GrpcError";
    this.code = code;
  }

  /** Anything thrown becomes a GrpcError; the text of a foreign error is kept. */
  static from(thrown: unknown, code: GrpcCode = "unknown"): GrpcError {
    if (thrown instanceof GrpcError) return thrown;
    return new GrpcError(code, thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });
  }
}

/** The error that trailers tell of, or undefined when they say OK. */
export function errorFromTrailers(status: string | undefined, message: string | undefined): GrpcError | undefined {
  if (status === undefined) return new GrpcError("unavailable", "the call ended without a status");
  if (status === "0") return undefined;
  const name = NAMES.get(status);
  return new GrpcError(isCode(name) ? name : "unknown", message === undefined ? "" : decodeMessage(message));
}

/** grpc-message is percent-encoded UTF-8 (the Buffer mends lone surrogates); encodeURIComponent encodes more than needed, which every reader accepts. */
export function encodeMessage(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString()).replaceAll("%20", " ");
}

function decodeMessage(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a peer that does not encode a percent sign: its text is better than none
  }
}
