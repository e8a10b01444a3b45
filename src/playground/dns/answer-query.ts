// From the bytes of a query to the bytes of the answer.

import {
  type Answer,
  AUTHORITATIVE_ANSWER,
  decode,
  encode,
  type OptAnswer,
  type Packet,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
} from "dns-packet";
import type { Logger } from "#base/logger";
import { errorMessage } from "#base/mesh-error";
import type { DnsView } from "./dns-view.ts";
import { resolveName, TTL } from "./resolve-name.ts";

const RCODES = { NOERROR: 0, FORMERR: 1, NXDOMAIN: 3, NOTIMP: 4 } as const;
const OPCODE_MASK = 0x7800;
const PLAIN_UDP_SIZE = 512;
/** Larger answers go over TCP, before the network would cut them into fragments. */
const MAX_UDP_SIZE = 1232;

export interface QueryContext {
  readonly view: DnsView;
  readonly domain: string;
  readonly logger: Logger;
  /** Answers rotate by it, so that clients that take the first address spread. */
  readonly rotation: number;
}

/** The answer to one query; undefined for what is no query and deserves none. `udp` limits its size. */
export function answerQuery(query: Buffer, context: QueryContext, udp: boolean): Buffer | undefined {
  const packet = parse(query, context.logger);
  if (packet === undefined) return query.length >= 12 ? failure(query.readUInt16BE(0)) : undefined;
  if (packet.type === "response") return undefined;
  const answer = respond(packet, context);
  const bytes = encode(answer);
  const fits = (one: Buffer) => !udp || one.length <= udpLimit(packet);
  if (fits(bytes)) return bytes;
  // What nobody asked for goes first, and nothing is missing without it (RFC 2181, 9).
  const asked = { ...answer, additionals: optOf(packet) };
  const short = encode(asked);
  if (fits(short)) return short;
  return encode({ ...asked, answers: [], authorities: [], flags: (answer.flags ?? 0) | TRUNCATED_RESPONSE });
}

function parse(query: Buffer, logger: Logger): Packet | undefined {
  try {
    return decode(query);
  } catch (thrown) {
    logger.debug({ error: errorMessage(thrown), bytes: query.length }, "malformed DNS query");
    return undefined;
  }
}

function respond(packet: Packet, { view, domain, rotation }: QueryContext): Packet {
  const questions = packet.questions ?? [];
  const [question] = questions;
  const flags = AUTHORITATIVE_ANSWER | ((packet.flags ?? 0) & RECURSION_DESIRED);
  const base: Packet = { type: "response", ...(packet.id === undefined ? {} : { id: packet.id }), questions };
  if (((packet.flags ?? 0) & OPCODE_MASK) !== 0) return { ...base, flags: flags | RCODES.NOTIMP };
  if (question === undefined || questions.length > 1) return { ...base, flags: flags | RCODES.FORMERR };
  const found = resolveName(view, domain, question);
  return {
    ...base,
    flags: flags | RCODES[found.rcode],
    answers: rotate(found.answers, rotation),
    authorities: found.negativeZone === undefined ? [] : [startOfAuthority(found.negativeZone)],
    additionals: [...found.additionals, ...optOf(packet)],
  };
}

/** Aliases stay in front of what they lead to. */
function rotate(answers: readonly Answer[], by: number): Answer[] {
  const aliases = answers.filter(({ type }) => type === "CNAME");
  const rest = answers.filter(({ type }) => type !== "CNAME");
  const start = rest.length === 0 ? 0 : by % rest.length;
  return [...aliases, ...rest.slice(start), ...rest.slice(0, start)];
}

/** Its last number is how long the asker may remember that there is nothing. */
function startOfAuthority(zone: string): Answer {
  const mname = zone === "" ? "ns.dns" : `ns.dns.${zone}`;
  const rname = zone === "" ? "hostmaster" : `hostmaster.${zone}`;
  const data = { mname, rname, serial: 1, refresh: 7200, retry: 1800, expire: 86_400, minimum: TTL };
  return { type: "SOA", name: zone === "" ? "." : zone, ttl: TTL, data };
}

function requestedOpt({ additionals = [] }: Packet): OptAnswer | undefined {
  return additionals.find((record): record is OptAnswer => record.type === "OPT");
}

/** Whoever speaks EDNS gets it spoken back. */
function optOf(packet: Packet): Answer[] {
  if (requestedOpt(packet) === undefined) return [];
  return [
    {
      type: "OPT",
      name: ".",
      udpPayloadSize: MAX_UDP_SIZE,
      extendedRcode: 0,
      ednsVersion: 0,
      flags: 0,
      flag_do: false,
      options: [],
    },
  ];
}

function udpLimit(packet: Packet): number {
  const size = requestedOpt(packet)?.udpPayloadSize ?? PLAIN_UDP_SIZE;
  return Math.min(MAX_UDP_SIZE, Math.max(PLAIN_UDP_SIZE, size));
}

function failure(id: number): Buffer {
  return encode({ type: "response", id, flags: RCODES.FORMERR });
}
