import { FieldReader } from "../../field-reader.ts";
import type { Parsed } from "../../violation.ts";
import { CLIENT_TLS_MODES, type DestinationRule } from "./types.ts";

/** Reads the spec of a DestinationRule of any served version. */
export function parseDestinationRule(spec: unknown): Parsed<DestinationRule> {
  const reader = new FieldReader(spec, "spec");
  const host = reader.text("host");
  if (host === "") reader.refuse("host", "must not be empty");
  warnOfUnread(reader);
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

const UNREAD = ["loadBalancer", "connectionPool", "outlierDetection", "portLevelSettings", "tunnel", "proxyProtocol"];

/** Rather a word too many than a rule that silently does nothing. */
function warnOfUnread(reader: FieldReader): void {
  const policies = [reader, ...reader.children("subsets")].map((holder) => holder.child("trafficPolicy"));
  for (const policy of policies) {
    for (const field of UNREAD) if (policy.has(field)) policy.refuse(field, "is not read yet", "warning");
  }
  if (reader.has("workloadSelector")) reader.refuse("workloadSelector", "is not read yet", "warning");
}
