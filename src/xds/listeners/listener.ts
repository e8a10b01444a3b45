import type { MessageInitShape } from "@bufbuild/protobuf";
import type { AddressSchema } from "#envoy/gen/envoy/config/core/v3/address_pb";
import type { FilterChainSchema } from "#envoy/gen/envoy/config/listener/v3/listener_components_pb";
import type { ListenerSchema } from "#envoy/gen/envoy/config/listener/v3/listener_pb";

export type ListenerInit = Extract<MessageInitShape<typeof ListenerSchema>, { $typeName?: never }>;
export type FilterChain = Extract<MessageInitShape<typeof FilterChainSchema>, { $typeName?: never }>;

export const ANY_ADDRESS = "0.0.0.0";

/** Plain HTTP as the HTTP inspector names it. */
export const PLAIN_HTTP = ["http/1.1", "h2c"];

export function socketAddress(address: string, port: number): MessageInitShape<typeof AddressSchema> {
  const value = { address, portSpecifier: { case: "portValue", value: port } } as const;
  return { address: { case: "socketAddress", value } };
}

/** `0.0.0.0_5000`, `10.96.0.50_5000`. */
export function listenerName(address: string, port: number): string {
  return `${address}_${port}`;
}
