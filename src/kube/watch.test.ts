import { Readable } from "node:stream";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { KubeObject } from "#api/kubernetes/object";
import type { Transport } from "./http-transport.ts";
import type { WatchEvent } from "./kube-client.ts";
import { watchEvents } from "./watch.ts";

const answering = (chunks: readonly Buffer[]): Transport => ({
  json: async () => undefined,
  stream: async () => Readable.from(chunks, { objectMode: true }),
  close: async () => {},
});

async function read(chunks: readonly Buffer[]): Promise<WatchEvent<KubeObject>[]> {
  const events: WatchEvent<KubeObject>[] = [];
  const query = { resourceVersion: "1" };
  for await (const event of watchEvents(answering(chunks), { path: "/api/v1/pods", query })) events.push(event);
  return events;
}

const line = (value: unknown) => `${JSON.stringify(value)}\n`;
const named = (name: string) => ({ type: "ADDED", object: { metadata: { name } } });

describe("watch events", () => {
  test("are the same wherever the network splits their bytes, inside a character too", async () => {
    const names = fc.array(fc.string({ unit: "grapheme", maxLength: 8 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(names, fc.array(fc.nat(300), { maxLength: 12 }), async (wanted, borders) => {
        const bytes = Buffer.from(wanted.map((name) => line(named(name))).join(""));
        const cuts = [0, ...borders.map((at) => at % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
        const chunks = cuts.slice(1).map((end, index) => bytes.subarray(cuts[index], end));
        const [first, ...events] = await read(chunks);
        expect(first).toEqual({ type: "BOOKMARK", resourceVersion: "1" });
        expect(events).toEqual(wanted.map(named));
      }),
    );
  });

  test("end quietly in the middle of a line: half an event is none", async () => {
    expect(await read([Buffer.from(line(named("a"))), Buffer.from('{"type":"ADD')])).toHaveLength(2);
  });

  test("an ERROR event becomes the server's refusal", async () => {
    const gone = { type: "ERROR", object: { code: 410, reason: "Expired", message: "too old resource version" } };
    await expect(read([Buffer.from(line(gone))])).rejects.toMatchObject({ status: 410, reason: "Expired" });
  });

  test("what is no JSON breaks the watch, so that the reader comes again", async () => {
    await expect(read([Buffer.from("<html>\n")])).rejects.toMatchObject({ status: 0, reason: "WatchBroken" });
  });
});
