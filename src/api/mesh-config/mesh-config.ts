// MeshConfig of Istio, the fields that are read today. The rest of the document is accepted and kept unread.
import { parse as parseYaml } from "yaml";
import { NAMES } from "../constants/names.ts";
import { FieldReader } from "../field-reader.ts";
import type { Parsed } from "../violation.ts";

export interface ServiceSetting {
  readonly clusterLocal: boolean;
  /** Exact host names or `*.suffix`. */
  readonly hosts: readonly string[];
}

export interface MeshConfig {
  readonly enableAutoMtls: boolean;
  readonly outboundTrafficPolicy: "ALLOW_ANY" | "REGISTRY_ONLY";
  readonly inboundTrafficPolicy: "PASSTHROUGH" | "LOCALHOST";
  readonly localityLbEnabled: boolean;
  readonly trustDomain: string;
  readonly trustDomainAliases: readonly string[];
  readonly rootNamespace: string;
  /** Milliseconds. */
  readonly connectTimeoutMs: number;
  /** Milliseconds; 0 waits without end. */
  readonly protocolDetectionTimeoutMs: number;
  /** "" is off. */
  readonly accessLogFile: string;
  readonly accessLogFormat: string;
  readonly accessLogEncoding: "TEXT" | "JSON";
  readonly defaultServiceExportTo: readonly string[];
  readonly serviceSettings: readonly ServiceSetting[];
  /** ProxyConfig as written, for the injector and the bootstrap. */
  readonly defaultConfig: Readonly<Record<string, unknown>>;
}

/** The mesh configuration of an empty document. */
export function defaultMeshConfig(): MeshConfig {
  return readMeshConfig(new FieldReader({}));
}

/** Reads the text under key `mesh` of the ConfigMap `istio`. */
export function parseMeshConfig(text: string): Parsed<MeshConfig> {
  let document: unknown;
  try {
    document = parseYaml(text) ?? {};
  } catch (thrown) {
    return { violations: [{ path: "mesh", message: `is not YAML: ${String(thrown)}`, severity: "error" }] };
  }
  const reader = new FieldReader(document, "");
  return reader.done(readMeshConfig(reader));
}

function readMeshConfig(reader: FieldReader): MeshConfig {
  const exportTo = reader.texts("defaultServiceExportTo");
  return Object.freeze({
    enableAutoMtls: reader.flag("enableAutoMtls", true),
    outboundTrafficPolicy: reader
      .child("outboundTrafficPolicy")
      .oneOf("mode", ["ALLOW_ANY", "REGISTRY_ONLY"], "ALLOW_ANY"),
    inboundTrafficPolicy: reader
      .child("inboundTrafficPolicy")
      .oneOf("mode", ["PASSTHROUGH", "LOCALHOST"], "PASSTHROUGH"),
    localityLbEnabled: reader.child("localityLbSetting").flag("enabled", true),
    trustDomain: reader.text("trustDomain") || NAMES.trustDomain,
    trustDomainAliases: reader.texts("trustDomainAliases"),
    rootNamespace: reader.text("rootNamespace") || NAMES.systemNamespace,
    connectTimeoutMs: readDuration(reader, "connectTimeout", 10_000),
    protocolDetectionTimeoutMs: readDuration(reader, "protocolDetectionTimeout", 0),
    accessLogFile: reader.text("accessLogFile"),
    accessLogFormat: reader.text("accessLogFormat"),
    accessLogEncoding: reader.oneOf("accessLogEncoding", ["TEXT", "JSON"], "TEXT"),
    defaultServiceExportTo: exportTo.length > 0 ? exportTo : ["*"],
    serviceSettings: reader.children("serviceSettings").map((setting) => ({
      clusterLocal: setting.child("settings").flag("clusterLocal", false),
      hosts: setting.texts("hosts"),
    })),
    defaultConfig: Object.fromEntries(
      reader
        .child("defaultConfig")
        .keys()
        .map((key) => [key, reader.child("defaultConfig").raw(key)]),
    ),
  });
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `10s`, `1m30s`, `250ms` in milliseconds. */
function readDuration(reader: FieldReader, field: string, fallback: number): number {
  const text = reader.text(field);
  if (text === "") return fallback;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (parts.map((part) => part[0]).join("") !== text) {
    reader.refuse(field, `is "${text}"; write a duration such as 10s or 250ms`);
    return fallback;
  }
  return parts.reduce((sum, [, amount = "0", unit = "s"]) => sum + Number(amount) * (UNITS[unit] ?? 0), 0);
}
