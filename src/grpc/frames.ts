import { GrpcError } from "./grpc-error.ts";

const PREFIX_BYTES = 5;

/** A gRPC frame: a zero byte (not compressed), the length, the message. Made once, it may go to many streams. */
export function frameMessage(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, PREFIX_BYTES);
  return frame;
}

/** Cuts a byte stream into messages. `push` throws GrpcError for a frame that is compressed or longer than allowed. */
export class FrameParser {
  readonly #maxMessageBytes: number;
  #chunks: Buffer[] = [];
  #available = 0;

  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes;
  }

  push(chunk: Buffer): Buffer[] {
    this.#chunks.push(chunk);
    this.#available += chunk.length;
    const messages: Buffer[] = [];
    while (this.#available >= PREFIX_BYTES) {
      const head = this.#peekPrefix();
      if (head[0] !== 0) throw new GrpcError("unimplemented", "compressed messages are not supported");
      const length = head.readUInt32BE(1);
      if (length > this.#maxMessageBytes) {
        throw new GrpcError("resourceExhausted", `message of ${length} bytes is longer than ${this.#maxMessageBytes}`);
      }
      if (this.#available < PREFIX_BYTES + length) break;
      messages.push(this.#take(PREFIX_BYTES + length).subarray(PREFIX_BYTES));
    }
    return messages;
  }

  /** True between messages: a stream that ends elsewhere was cut off. */
  isEmpty(): boolean {
    return this.#available === 0;
  }

  #peekPrefix(): Buffer {
    const first = this.#chunks[0];
    if (first !== undefined && first.length >= PREFIX_BYTES) return first;
    this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  /** Joins chunks once per message, so that a long message in many chunks costs one copy. */
  #take(bytes: number): Buffer {
    const first = this.#chunks[0];
    const whole = first !== undefined && first.length >= bytes ? first : Buffer.concat(this.#chunks);
    const rest = whole.subarray(bytes);
    if (whole === first) {
      this.#chunks.shift();
      if (rest.length > 0) this.#chunks.unshift(rest);
    } else {
      this.#chunks = rest.length > 0 ? [rest] : [];
    }
    this.#available -= bytes;
    return whole.subarray(0, bytes);
  }
}
