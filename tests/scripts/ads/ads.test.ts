import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "vitest";
import { DeltaStream, type DeltaAction } from "#ads/delta-stream";
import { PushQueue } from "#ads/push-queue";
import type { Touched } from "#ads/resource-source";
import { EMPTY_DELTA_REQUEST } from "#envoy/discovery";
import { PUSH_ORDER, XDS_TYPES, type XdsType, xdsTypeOf } from "#envoy/types";
import { runTranscript } from "../../kit/transcript.ts";

const folder = import.meta.dirname;
const scripts = readdirSync(folder).filter((name) => name.endsWith(".txt"));

const typeUrl = (short: string) => (short in XDS_TYPES ? XDS_TYPES[short as XdsType] : short);
const short = (url: string) => xdsTypeOf(url) ?? url;
const list = (text: string | undefined) => (text === undefined || text === "-" ? [] : text.split(","));

/** A store of versions that commands set, and one stream over it. */
function deltaWorld() {
  const store = new Map<string, Map<string, string>>();
  let broken = "";
  let nonce = 0;
  const of = (type: string) => store.get(type) ?? store.set(type, new Map()).get(type) ?? new Map<string, string>();
  const stream = new DeltaStream({
    read: (url, names) => {
      const type = short(url);
      if (type === broken) throw new Error("generator failed");
      const all = of(type);
      const wanted = names ?? [...all.keys()];
      return wanted.flatMap((name) => {
        const version = all.get(name) ?? (type === "EDS" ? "empty" : undefined);
        return version === undefined ? [] : [{ name, version, any: new Uint8Array() }];
      });
    },
    nextNonce: () => String(++nonce),
    version: () => "p",
    now: () => 0,
  });
  const commands: Record<string, (args: readonly string[]) => string> = {
    set: ([type = "", ...pairs]) => {
      for (const pair of pairs) of(type).set(...(pair.split("=") as [string, string]));
      return "";
    },
    delete: ([type = "", ...names]) => {
      for (const name of names) of(type).delete(name);
      return "";
    },
    break: ([type = ""]) => {
      broken = type;
      return "";
    },
    request: ([type = "", ...options]) => {
      const get = (key: string) => options.find((option) => option.startsWith(`${key}=`))?.slice(key.length + 1);
      const held = list(get("holds")).map((pair) => pair.split("@") as [string, string]);
      const request = {
        ...EMPTY_DELTA_REQUEST,
        typeUrl: typeUrl(type),
        subscribe: list(get("subscribe")),
        unsubscribe: list(get("unsubscribe")),
        initialVersions: new Map(held),
      };
      return told(stream.step({ kind: "request", request }));
    },
    ack: ([type = "", responseNonce = ""]) =>
      told(
        stream.step({ kind: "request", request: { ...EMPTY_DELTA_REQUEST, typeUrl: typeUrl(type), responseNonce } }),
      ),
    nack: ([type = "", responseNonce = "", ...words]) => {
      const error = { code: 13, message: words.join(" ") };
      const request = { ...EMPTY_DELTA_REQUEST, typeUrl: typeUrl(type), responseNonce, error };
      return told(stream.step({ kind: "request", request }));
    },
    change: (touches) => {
      const touched = new Map<string, Touched>();
      for (const touch of touches) {
        const [type = "", names = "all"] = touch.split("=");
        touched.set(typeUrl(type), names === "all" ? "all" : new Set(list(names)));
      }
      return told(stream.step({ kind: "change", touched }));
    },
    status: () =>
      [...stream.subscriptions.values()]
        .map(({ typeUrl: url, sent, acked, rejected }) => {
          const refusal = rejected === undefined ? "" : ` refused ${rejected.nonce}: ${rejected.message}`;
          return `${short(url)} sent ${sent?.nonce ?? "-"} acked ${acked?.nonce ?? "-"}${refusal}`;
        })
        .join("\n"),
  };
  return commands;
}

function told(actions: readonly DeltaAction[]): string {
  return actions
    .map((action) => {
      if (action.kind === "failed") return `failed ${short(action.typeUrl)}: ${(action.error as Error).message}`;
      if (action.kind === "accepted") return `accepted ${short(action.typeUrl)} ${action.mark.nonce}`;
      if (action.kind === "rejected")
        return `rejected ${short(action.typeUrl)} ${action.mark.nonce}: ${action.message}`;
      const { typeUrl: url, nonce, resources, removed } = action.response;
      const added = resources.map(({ name, version }) => ` ${name}@${version}`).join("");
      return `${short(url)} #${nonce}:${added || " -"}${removed.length > 0 ? ` removed ${removed.join(" ")}` : ""}`;
    })
    .join("\n");
}

function queueWorld() {
  const queue = new PushQueue<string, string>((a, b) => `${a}+${b}`);
  const commands: Record<string, (args: readonly string[]) => string> = {
    add: ([key = "", change = ""]) => {
      queue.add(key, change);
      return "";
    },
    next: () => queue.next()?.join(" ") ?? "nothing",
    block: ([key = ""]) => {
      queue.block(key);
      return "";
    },
    unblock: ([key = ""]) => {
      queue.unblock(key);
      return "";
    },
    delete: ([key = ""]) => {
      queue.delete(key);
      return "";
    },
    size: () => String(queue.size),
  };
  return commands;
}

describe("transcripts", () => {
  for (const name of scripts) {
    test(name, () => {
      const commands = name.startsWith("queue") ? queueWorld() : deltaWorld();
      runTranscript(join(folder, name), ([verb = "", ...args]) => {
        const command = commands[verb];
        if (command === undefined) throw new Error(`no command ${verb}`);
        return command(args);
      });
    });
  }
  test("the push order is the one the transcripts show", () => {
    if (PUSH_ORDER.join() !== "CDS,EDS,LDS,RDS,SDS") throw new Error(PUSH_ORDER.join());
  });
});
