// Istio's ProxyConfig as the injector hands it over (PROXY_CONFIG, JSON), with the fields that an agent reads.
import { MeshError } from "#base/mesh-error";
import type { JsonObject, JsonValue } from "#envoy/struct";

export interface ProxyConfig {
  /** The configuration as it came, for the node metadata. */
  readonly json: JsonObject;
  readonly discoveryAddress?: string;
  readonly concurrency?: number;
  readonly statusPort?: number;
  readonly proxyAdminPort?: number;
  /** Folder for the bootstrap and the xDS socket. */
  readonly configPath?: string;
  /** The Envoy to run. */
  readonly binaryPath?: string;
  /** Milliseconds. */
  readonly terminationDrainDuration?: number;
  /** Milliseconds. */
  readonly drainDuration?: number;
  readonly statsInclusion: {
    readonly prefixes: readonly string[];
    readonly suffixes: readonly string[];
    readonly regexps: readonly string[];
  };
}

/** Throws MeshError for text that is no JSON object, or a field of another type. The annotation's fields win. */
export function parseProxyConfig(text: string, annotation: string | undefined): ProxyConfig {
  const json = { ...objectOf("PROXY_CONFIG", text), ...annotationObject(annotation) };
  const matcher = isObject(json["proxyStatsMatcher"]) ? json["proxyStatsMatcher"] : {};
  return {
    json,
    ...optional("discoveryAddress", stringField(json, "discoveryAddress")),
    ...optional("concurrency", numberField(json, "concurrency")),
    ...optional("statusPort", numberField(json, "statusPort")),
    ...optional("proxyAdminPort", numberField(json, "proxyAdminPort")),
    ...optional("configPath", stringField(json, "configPath")),
    ...optional("binaryPath", stringField(json, "binaryPath")),
    ...optional("terminationDrainDuration", durationField(json, "terminationDrainDuration")),
    ...optional("drainDuration", durationField(json, "drainDuration")),
    statsInclusion: {
      prefixes: stringList(matcher["inclusionPrefixes"]),
      suffixes: stringList(matcher["inclusionSuffixes"]),
      regexps: stringList(matcher["inclusionRegexps"]),
    },
  };
}

/** The annotation is YAML; the injector has merged it into PROXY_CONFIG already, so only JSON is read here again. */
function annotationObject(annotation: string | undefined): JsonObject {
  return annotation?.trimStart().startsWith("{") ? objectOf("proxy.istio.io/config", annotation) : {};
}

function objectOf(name: string, text: string): JsonObject {
  if (text.trim() === "") return {};
  const value = parseJsonObject(name, text);
  if (!isObject(value)) throw new MeshError("USAGE", `${name} is no JSON object`);
  return value;
}

export function parseJsonObject(name: string, text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch (cause) {
    throw new MeshError("USAGE", `${name} is no JSON`, { cause });
  }
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]: V });
}

function stringField(json: JsonObject, key: string): string | undefined {
  const value = json[key];
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value !== "string") throw new MeshError("USAGE", `PROXY_CONFIG.${key} is no text`);
  return value;
}

function numberField(json: JsonObject, key: string): number | undefined {
  const value = json[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number") throw new MeshError("USAGE", `PROXY_CONFIG.${key} is no number`);
  return value;
}

function durationField(json: JsonObject, key: string): number | undefined {
  const text = stringField(json, key);
  if (text === undefined) return undefined;
  const ms = durationMs(text);
  if (ms === undefined) throw new MeshError("USAGE", `PROXY_CONFIG.${key}: ${text} is no duration such as 5s`);
  return ms;
}

function stringList(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** `1h30m`, `5s`, `0.5s`, `250ms` in milliseconds; undefined for anything else. */
export function durationMs(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|[hms]))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[hms])/g)) {
    total += Number(amount) * (UNIT_MS[unit ?? ""] ?? 0);
  }
  return total;
}

/** The downward API's form: one `key="value"` a line, the value quoted as Go quotes. */
export function parsePodInfo(text: string): Record<string, string> {
  const entries: Record<string, string> = {};
  for (const line of text.split("\n")) {
    const split = line.indexOf("=");
    if (split > 0) entries[line.slice(0, split)] = unquote(line.slice(split + 1));
  }
  return entries;
}

function unquote(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "string" ? value : text;
  } catch {
    return text.replace(/^"|"$/g, "");
  }
}
