import { FieldReader } from "../../field-reader.ts";
import type { Parsed } from "../../violation.ts";
import { CLIENT_TLS_MODES, type DestinationRule } from "./types.ts";

/** Reads the spec of a DestinationRule of any served version. */
export function parseDestinationRule(spec: unknown): Parsed<DestinationRule> {
  const reader = new FieldReader(spec, "spec");
  const host = reader.text("host");
  if (host === "") reader.refuse("host", "must not be empty");
  const tls = reader.child("trafficPolicy").child("tls");
  const rule = {
    host,
    subsets: reader
      .children("subsets")
      .map((subset) => ({ name: subset.text("name"), labels: subset.textMap("labels") })),
    exportTo: reader.texts("exportTo"),
  };
  return reader.done(tls.has("mode") ? { ...rule, tlsMode: tls.oneOf("mode", CLIENT_TLS_MODES, "DISABLE") } : rule);
}
