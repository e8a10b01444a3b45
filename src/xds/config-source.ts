import type { MessageInitShape } from "@bufbuild/protobuf";
import { ApiVersion, type ConfigSourceSchema } from "#envoy/gen/envoy/config/core/v3/config_source_pb";
import type { SdsSecretConfigSchema } from "#envoy/gen/envoy/extensions/transport_sockets/tls/v3/secret_pb";

/** Milliseconds as a protobuf Duration. */
export function duration(ms: number): { readonly seconds: bigint; readonly nanos: number } {
  return { seconds: BigInt(Math.floor(ms / 1000)), nanos: Math.round((ms % 1000) * 1e6) };
}

/**
 * Everything comes on the one stream that Envoy has. It waits without end for what it was told to expect: going on
 * with an empty answer would turn a slow control plane into failed requests.
 */
export function adsSource(): MessageInitShape<typeof ConfigSourceSchema> {
  return {
    configSourceSpecifier: { case: "ads", value: {} },
    resourceApiVersion: ApiVersion.V3,
    initialFetchTimeout: duration(0),
  };
}

/** A secret that the agent answers on the same stream; the control plane never holds a key. */
export function secretSource(name: string): MessageInitShape<typeof SdsSecretConfigSchema> {
  return { name, sdsConfig: adsSource() };
}
