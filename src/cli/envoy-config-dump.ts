// Reading Envoy's /config_dump: only the parts that the tables show, as plain JSON.
import { readFileSync } from "node:fs";
import { MeshError } from "#base/mesh-error";

export type Json = { readonly [key: string]: unknown };

/** The sections of a config dump by the short name of their type: ClustersConfigDump, ListenersConfigDump ... */
export interface ConfigDump {
  readonly raw: Json;
  section(name: string): Json | undefined;
}

export function parseConfigDump(text: string, where: string): ConfigDump {
  let raw: Json;
  try {
    raw = JSON.parse(text) as Json;
  } catch (cause) {
    throw new MeshError("CONFIG_DUMP_INVALID", `${where} is not JSON`, { cause });
  }
  const configs = listOf(raw["configs"]);
  return { raw, section: (name) => configs.find((config) => String(config["@type"]).endsWith(`.${name}`)) };
}

export function readConfigDump(file: string): ConfigDump {
  try {
    return parseConfigDump(readFileSync(file, "utf8"), file);
  } catch (cause) {
    if (cause instanceof MeshError) throw cause;
    throw new MeshError("FILE_UNREADABLE", `cannot read ${file}`, { cause });
  }
}

export function listOf(value: unknown): Json[] {
  return Array.isArray(value) ? (value as Json[]) : [];
}

export function child(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  let current: unknown = value;
  for (const key of path)
    current = typeof current === "object" && current !== null ? (current as Json)[key] : undefined;
  return typeof current === "object" && current !== null ? (current as Json) : undefined;
}

export function textOf(value: unknown): string {
  return value === undefined || value === null ? "" : String(value);
}

/** `10.0.0.1:80`, `unix://path`, `envoy://listener/id` of an Envoy address. */
export function addressOf(address: Json | undefined): { host: string; port: string } {
  const socket = child(address, "socket_address");
  if (socket !== undefined) return { host: textOf(socket["address"]), port: textOf(socket["port_value"]) };
  const pipe = child(address, "pipe");
  if (pipe !== undefined) return { host: `unix://${textOf(pipe["path"])}`, port: "" };
  const internal = child(address, "envoy_internal_address");
  return {
    host: `envoy://${textOf(internal?.["server_listener_name"])}/${textOf(internal?.["endpoint_id"])}`,
    port: "",
  };
}
