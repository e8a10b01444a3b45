// What must differ between two servers becomes equal, and nothing else: uids, resource versions, generated names,
// addresses and ports are numbered in the order in which a sequence meets them, times near now and tokens are named by
// what they say. No field is ever left out.
import { parse as parseYaml } from "yaml";
import type { Answer, Json, JsonMap } from "../step.ts";
import { isMap, parse } from "./fill-in.ts";

export interface NormalAnswer {
  readonly status: number;
  readonly headers: Json;
  readonly body: Json;
}

/** One for each sequence and server; answers must come in the order of the steps. */
export interface Normaliser {
  normalise(answer: Answer): NormalAnswer;
}

/** Of the connection and the moment, not of the answer. */
const IGNORED_HEADERS = new Set(["date", "content-length", "connection", "keep-alive", "transfer-encoding"]);

/** Their values differ in every run; that they are there is compared. */
const OPAQUE_HEADERS = new Set(["last-modified", "audit-id", "etag"]);

/** They name objects by uid: those of a new cluster are compared by name, those of a sequence as all its uids. */
const FLOW_HEADER = "x-kubernetes-pf-";

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const TIME = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( \+0000 UTC|Z)/g;
const JWT = /eyJ[\w-]+\.(eyJ[\w-]+)\.[\w-]+/g;
/** Addresses that the server chose: it takes them above the first 256, explicit ones are made below. */
const ADDRESS = /\b10\.96\.(?!0\.)\d{1,3}\.\d{1,3}\b/g;
const VOLUME = /\bkube-api-access-[a-z0-9]{5}\b/g;
const VERSIONS_IN_TEXT = /((?:too old|Too large) resource version: )\d+( ?[(,] ?(?:current: )?)\d+(\)?)/g;
const VERSION_CONDITION =
  /(ResourceVersion in (?:precondition|object meta): |in the precondition \(|in record \(|resourceVersion\\*": ?\\*")(\d+)/g;
/** The suffix that a server puts behind the areas' `generateName: gen-`. */
const GENERATED = /\b(gen-(?:[a-z0-9]+x-)?)([bcdfghjklmnpqrstvwxz2456789]{5})\b/g;
const PORT_CELL = /\b(\d+:)(3[0-2]\d{3})(?=\/(?:TCP|UDP))/g;
/** No text without any of these holds what differs from server to server: spares long descriptions the search. */
const MAY_DIFFER = /\d|gen-|kube-api-access-|eyJ/;
/** Of a document, as in its ETag. */
const HASH = /\bhash=[0-9A-F]{128}\b/g;
const PORT_IN_TEXT = /(duplicate nodePort: \{\w+ )(\d+)/g;
const CREDENTIAL = /X509SHA256=[0-9a-f]{64}/g;
const AGE = /^(<invalid>|\d+s|1m\d*s?)$/;
/** From here on ports are chosen by the server; explicit ones are made below. */
const CHOSEN_PORT = 30_086;
const PORTS = new Set(["nodePort", "healthCheckNodePort"]);

/** `flows`: names of FlowSchemas and PriorityLevelConfigurations that were there before, by uid. */
export function createNormaliser(serverUrl: string, flows: ReadonlyMap<string, string>): Normaliser {
  const numbers = new Map<string, Map<string, string>>();
  const host = new URL(serverUrl).host;
  let newest = 0n;

  const numbered = (sort: string, value: string): string => {
    const known = numbers.get(sort) ?? new Map<string, string>();
    numbers.set(sort, known);
    const name = known.get(value) ?? `<${sort}-${known.size + 1}>`;
    known.set(value, name);
    return name;
  };

  const text = (value: string): string => {
    if (!MAY_DIFFER.test(value)) return value;
    let result = value.replaceAll(JWT, (_whole, claims: string) => token(claims));
    result = result.replaceAll(UUID, (uid) => numbered("uid", uid));
    result = result.replaceAll(TIME, (time) => nearNow(time));
    result = result.replaceAll(ADDRESS, (address) => numbered("address", address));
    result = result.replaceAll(VOLUME, (name) => numbered("token-volume", name));
    result = result.replaceAll(
      GENERATED,
      (_whole, base: string, suffix: string) => base + numbered("generated", suffix),
    );
    result = result.replaceAll(PORT_CELL, (_whole, before: string, port: string) => before + numbered("port", port));
    result = result.replaceAll(PORT_IN_TEXT, (_whole, before: string, port: string) => before + numbered("port", port));
    result = result.replaceAll(CREDENTIAL, (hash) => numbered("credential", hash));
    result = result.replaceAll(VERSIONS_IN_TEXT, "$1<n>$2<n>$3");
    result = result.replaceAll(VERSION_CONDITION, (_whole, before: string, rv: string) => before + numbered("rv", rv));
    result = result.replaceAll(HASH, "hash=<hash>");
    result = result.replaceAll(host, "<server>");
    return result;
  };

  const token = (claims: string): string => {
    const read = parse(Buffer.from(claims, "base64url").toString());
    if (!isMap(read)) return "<token>";
    const { iat, exp, nbf, ...rest } = read;
    const lasts = typeof exp === "number" && typeof iat === "number" ? exp - iat : null;
    return `<token ${JSON.stringify(walk({ ...rest, lasts, nbf: nbf === iat }))}>`;
  };

  const version = (value: string, ofList: boolean): string => {
    if (!/^\d+$/.test(value) || value === "0") return value;
    if (ofList) return BigInt(value) >= newest ? "<rv:current>" : "<rv:old>";
    if (BigInt(value) > newest) newest = BigInt(value);
    return numbered("rv", value);
  };

  const metadataOf = (metadata: JsonMap, ofList: boolean): JsonMap => {
    const result: JsonMap = {};
    for (const [key, field] of sorted(metadata)) {
      if (key === "resourceVersion" && typeof field === "string") result[key] = version(field, ofList);
      else if (key === "continue" && typeof field === "string" && field !== "") result[key] = "<continue>";
      else if (key === "managedFields") result[key] = byManager(walk(field));
      else result[text(key)] = walk(field);
    }
    return result;
  };

  const walk = (value: Json): Json => {
    if (typeof value === "string") return text(value);
    if (Array.isArray(value)) return value.map(walk);
    return isMap(value) ? walkMap(value) : value;
  };

  const walkMap = (value: JsonMap): JsonMap => {
    const isBookmark = value["type"] === "BOOKMARK";
    const ofList = "items" in value || "rows" in value;
    const result: JsonMap = {};
    for (const [key, field] of sorted(value)) {
      if (key === "metadata" && isMap(field)) result[key] = metadataOf(field, ofList);
      else if (PORTS.has(key) && typeof field === "number" && field >= CHOSEN_PORT)
        result[key] = numbered("port", String(field));
      else if (key === "object" && isBookmark && isMap(field)) result[key] = bookmark(field);
      else result[text(key)] = walk(field);
    }
    const { rows, columnDefinitions } = result;
    if (Array.isArray(rows)) result["rows"] = withoutAges(rows, columnDefinitions);
    return result;
  };

  /** Its version is of the moment, in its row of a table as in itself. */
  const bookmark = (object: JsonMap): Json => {
    const { metadata, rows, ...rest } = object;
    const shown = walk(rest) as JsonMap;
    if (Array.isArray(rows)) shown["rows"] = withoutAges(rows.map(bookmarkRow), shown["columnDefinitions"]);
    return { ...shown, metadata: isMap(metadata) ? metadataOf(metadata, true) : (metadata ?? null) };
  };

  const bookmarkRow = (row: Json): Json =>
    isMap(row) && isMap(row["object"])
      ? { ...(walk({ ...row, object: null }) as JsonMap), object: bookmark(row["object"]) }
      : walk(row);

  return {
    normalise(answer) {
      const headers: JsonMap = {};
      for (const [name, value] of Object.entries(answer.headers)) {
        if (IGNORED_HEADERS.has(name)) continue;
        const known = name.startsWith(FLOW_HEADER) ? flows.get(String(value)) : undefined;
        if (OPAQUE_HEADERS.has(name)) headers[name] = "<there>";
        else headers[name] = known ?? walk(typeof value === "string" ? value : [...value]);
      }
      return { status: answer.status, headers, body: inOrder(bodyOf(answer, walk)) };
    },
  };
}

function bodyOf(answer: Answer, walk: (value: Json) => Json): Json {
  if (answer.failure !== undefined) return { failure: answer.failure };
  if (answer.events !== undefined) return answer.events.map(walk);
  const yaml = String(answer.headers["content-type"] ?? "").startsWith("application/yaml");
  return walk(yaml ? { yaml: parseYaml(answer.text) as Json } : (parse(answer.text) ?? answer.text));
}

const sorted = (value: JsonMap) => Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));

function nearNow(time: string): string {
  const at = Date.parse(time.replace(" +0000 UTC", "Z").replace(/(\d) (\d)/, "$1T$2"));
  const minutes = (at - Date.now()) / 60_000;
  const form = /\.\d{6}Z$/.test(time) ? "micro" : "";
  if (Math.abs(minutes) < 4) return `<now${form}>`;
  if (Math.abs(minutes) > 60 * 24 * 400) return time;
  return `<now${form} ${minutes > 0 ? "+" : ""}${Math.round(minutes / 5) * 5}m>`;
}

/** A second may pass between the two answers. */
function withoutAges(rows: Json[], columns: Json | undefined): Json[] {
  // Later events of a watch come without columns: any cell may be the age then.
  const names = Array.isArray(columns)
    ? columns.map((column) => (isMap(column) ? String(column["name"]) : ""))
    : undefined;
  const isAge = (index: number) =>
    names === undefined || /^(Age|Last Seen|First Seen|Duration)$/.test(names[index] ?? "");
  return rows.map((row) => {
    if (!isMap(row) || !Array.isArray(row["cells"])) return row;
    const cells = row["cells"].map((cell, index) =>
      isAge(index) && typeof cell === "string" && AGE.test(cell) ? "<age>" : cell,
    );
    return { ...row, cells };
  });
}

/**
 * Where the real server's own order is chance (it walks Go maps): the rules of a SelfSubjectRulesReview, the conflicts of
 * an apply, and what is wrong with a custom resource. Everything else is compared in its order.
 */
function inOrder(body: Json): Json {
  if (!isMap(body)) return body;
  if (body["kind"] === "SelfSubjectRulesReview" && isMap(body["status"])) {
    const { resourceRules, nonResourceRules, ...rest } = body["status"];
    return {
      ...body,
      status: { ...rest, resourceRules: sortedList(resourceRules), nonResourceRules: sortedList(nonResourceRules) },
    };
  }
  const { details, message } = body;
  if (/^Apply failed with \d+ conflicts/.test(String(message)) && isMap(details)) {
    const lines = String(message).split("\n").sort().join("\n");
    return { ...body, message: lines, details: { ...details, causes: sortedList(details["causes"]) } };
  }
  if (!isMap(details) || !/example\.com$/.test(String(details["group"])) || !Array.isArray(details["causes"]))
    return body;
  const { causes } = details;
  const told = causes.map((cause) => (isMap(cause) ? `${cause["field"]}: ${cause["message"]}` : "")).join(", ");
  return {
    ...body,
    details: { ...details, causes: sortedList(causes) },
    message: String(message).replace(`[${told}]`, "[<the causes>]"),
  };
}

/** Their own order is that of their times in whole seconds: the same writes give another one when a second passes. */
function byManager(entries: Json): Json {
  if (!Array.isArray(entries)) return entries;
  const key = (entry: Json) =>
    isMap(entry)
      ? JSON.stringify([entry["manager"], entry["operation"], entry["subresource"] ?? "", entry["apiVersion"]])
      : "";
  return [...entries].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

function sortedList(list: Json | undefined): Json {
  if (!Array.isArray(list)) return list ?? null;
  return [...list].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}
