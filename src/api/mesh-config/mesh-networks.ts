import { parse as parseYaml } from "yaml";
import { FieldReader } from "../field-reader.ts";
import type { Parsed } from "../violation.ts";

/** One network of MeshNetworks: which endpoints belong to it and through which gateways it is reached. */
export interface MeshNetwork {
  readonly network: string;
  readonly fromCidrs: readonly string[];
  /** Cluster ids. */
  readonly fromRegistries: readonly string[];
  readonly gateways: readonly {
    readonly address: string;
    /** Name of a Service, when the address is to be read from it. */
    readonly registryServiceName: string;
    readonly port: number;
  }[];
}

/** Sorted by network. */
export type MeshNetworks = readonly MeshNetwork[];

/** Reads the text under key `meshNetworks` of the ConfigMap `istio`. */
export function parseMeshNetworks(text: string): Parsed<MeshNetworks> {
  let document: unknown;
  try {
    document = parseYaml(text) ?? {};
  } catch (thrown) {
    return { violations: [{ path: "meshNetworks", message: `is not YAML: ${String(thrown)}`, severity: "error" }] };
  }
  const reader = new FieldReader(document, "");
  const networks = reader.child("networks");
  return reader.done([...networks.keys()].sort().map((network) => readNetwork(network, networks.child(network))));
}

function readNetwork(network: string, reader: FieldReader): MeshNetwork {
  const endpoints = reader.children("endpoints");
  return {
    network,
    fromCidrs: endpoints.flatMap((endpoint) => endpoint.text("fromCidr") || []),
    fromRegistries: endpoints.flatMap((endpoint) => endpoint.text("fromRegistry") || []),
    gateways: reader.children("gateways").map((gateway) => ({
      address: gateway.text("address"),
      registryServiceName: gateway.text("registryServiceName"),
      port: gateway.number("port", 0),
    })),
  };
}
