import { FieldReader } from "../../field-reader.ts";
import type { Parsed } from "../../violation.ts";
import { MTLS_MODES, type MtlsMode, type PeerAuthentication } from "./types.ts";

/** Reads the spec of a PeerAuthentication of any served version. */
export function parsePeerAuthentication(spec: unknown): Parsed<PeerAuthentication> {
  const reader = new FieldReader(spec, "spec");
  const selector = reader.child("selector").textMap("matchLabels");
  const ports = reader.child("portLevelMtls");
  const portLevelMtls: Record<number, MtlsMode> = {};
  for (const port of ports.keys()) {
    portLevelMtls[Number(port)] = ports.child(port).oneOf("mode", MTLS_MODES, "UNSET");
  }
  if (ports.keys().length > 0 && Object.keys(selector).length === 0) {
    reader.refuse("portLevelMtls", "needs a selector: ports belong to workloads");
  }
  return reader.done({
    selector,
    mode: reader.child("mtls").oneOf("mode", MTLS_MODES, "UNSET"),
    portLevelMtls,
  });
}
