// What can be read on a wire: frames of a network namespace of a playground, put together to TCP streams.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { PlaygroundStatus } from "#playground/lifecycle/playground-status";

const PROGRAM = readFileSync(new URL("capture.py", import.meta.url), "utf8");

/** One direction of one TCP connection. */
export interface Stream {
  readonly from: string;
  readonly fromPort: number;
  readonly to: string;
  readonly toPort: number;
  /** In order, without repetitions. */
  readonly bytes: Buffer;
  /** False when a segment in between was not seen. */
  readonly whole: boolean;
}

export interface Captured {
  readonly frames: readonly Buffer[];
  readonly streams: readonly Stream[];
  /** Which of the texts stand readable in any frame or stream. */
  readable(texts: readonly string[]): string[];
}

/** Captures in a namespace, named as below the playground's own /run/netns, while `work` runs. */
export async function captureWhile<T>(
  status: PlaygroundStatus,
  namespace: string,
  work: () => Promise<T>,
): Promise<{ captured: Captured; result: T }> {
  const enter = ["-t", String(status.supervisor?.pid), "-m", "-p", "--", "nsenter", `--net=/run/netns/${namespace}`];
  const child = spawn("nsenter", [...enter, "python3", "-c", PROGRAM], { stdio: ["pipe", "pipe", "pipe"] });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  const ended = once(child, "close");
  try {
    const [said] = (await Promise.race([once(child.stderr, "data"), ended])) as [unknown];
    if (String(said).trim() !== "ready") throw new Error(`the capture in ${namespace} did not start: ${said}`);
    const result = await work();
    return { result, captured: await end() };
  } catch (thrown) {
    child.kill("SIGKILL");
    throw thrown;
  }

  async function end(): Promise<Captured> {
    child.stdin.end();
    await ended;
    const frames = framesOf(Buffer.concat(chunks));
    const streams = streamsOf(frames);
    const places = [...frames, ...streams.map((stream) => stream.bytes)];
    return {
      frames,
      streams,
      readable: (texts) => texts.filter((text) => places.some((bytes) => bytes.includes(text))),
    };
  }
}

/** TLS record types of a stream, and whether it is made of nothing but TLS records. */
export function tlsRecords(bytes: Buffer): { types: number[]; onlyTls: boolean } {
  const types: number[] = [];
  let at = 0;
  while (at + 5 <= bytes.length) {
    const [type = 0, major, minor = 0] = bytes.subarray(at, at + 3);
    if (type < 20 || type > 23 || major !== 3 || minor > 4) return { types, onlyTls: false };
    types.push(type);
    at += 5 + bytes.readUInt16BE(at + 3);
  }
  return { types, onlyTls: at === bytes.length };
}

function framesOf(output: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at + 4 <= output.length; ) {
    const length = output.readUInt32BE(at);
    frames.push(output.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return frames;
}

interface Segment {
  readonly ends: Omit<Stream, "bytes" | "whole">;
  readonly sequence: number;
  readonly payload: Buffer;
}

const ETHERNET = 14;
const IPV4 = 0x0800;
const TCP = 6;

function segmentOf(frame: Buffer): Segment | undefined {
  if (frame.length < ETHERNET + 40 || frame.readUInt16BE(12) !== IPV4) return undefined;
  const packet = frame.subarray(ETHERNET);
  const headerLength = ((packet[0] ?? 0) & 15) * 4;
  if (packet[9] !== TCP) return undefined;
  const total = packet.readUInt16BE(2) || packet.length;
  const tcp = packet.subarray(headerLength, total);
  const address = (at: number) => [...packet.subarray(at, at + 4)].join(".");
  return {
    ends: { from: address(12), fromPort: tcp.readUInt16BE(0), to: address(16), toPort: tcp.readUInt16BE(2) },
    sequence: tcp.readUInt32BE(4),
    payload: tcp.subarray(((tcp[12] ?? 0) >> 4) * 4),
  };
}

function streamsOf(frames: readonly Buffer[]): Stream[] {
  const flows = new Map<string, Segment[]>();
  for (const frame of frames) {
    const segment = segmentOf(frame);
    if (segment === undefined || segment.payload.length === 0) continue;
    const key = JSON.stringify(segment.ends);
    const flow = flows.get(key) ?? [];
    flow.push(segment);
    flows.set(key, flow);
  }
  return [...flows.values()].map(streamOf);
}

/** Sequence numbers wrap; all are taken relative to the first that was seen. */
function streamOf(segments: readonly Segment[]): Stream {
  const [first] = segments;
  if (first === undefined) throw new Error("a flow has at least one segment");
  const placed = segments
    .map(({ sequence, payload }) => ({ at: (sequence - first.sequence) | 0, payload }))
    .sort((a, b) => a.at - b.at);
  const parts: Buffer[] = [];
  let next = placed[0]?.at ?? 0;
  let whole = true;
  for (const { at, payload } of placed) {
    if (at > next) whole = false;
    const fresh = payload.subarray(Math.max(0, next - at));
    if (fresh.length === 0) continue;
    parts.push(fresh);
    next = at + payload.length;
  }
  return { ...first.ends, bytes: Buffer.concat(parts), whole };
}
