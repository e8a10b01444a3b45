// What /validate looks at: whether the fields we read can be read. The schema of each CRD has already been checked by
// the API server; meaning over several objects is the business of `analyze`.
import { parseDestinationRule } from "#api/networking/destination-rule/parse";
import { parseGateway } from "#api/networking/gateway/parse";
import { parsePeerAuthentication } from "#api/security/peer-authentication/parse";
import type { Parsed, Violation } from "#api/violation";
import { type AdmissionAnswer, parseAdmissionReview, reviewAnswer } from "#inject/admission";

const PARSERS: Readonly<Record<string, (spec: unknown) => Parsed<unknown>>> = {
  Gateway: parseGateway,
  DestinationRule: parseDestinationRule,
  PeerAuthentication: parsePeerAuthentication,
};

const ISTIO_GROUP = /\.istio\.io\//;

/** Answers an AdmissionReview of an Istio object; kinds that we do not read are allowed. */
export function validateObject(body: unknown): AdmissionAnswer {
  const { uid, kind, namespace, name, object, operation } = parseAdmissionReview(body);
  const parse = ISTIO_GROUP.test(String(object["apiVersion"] ?? "")) ? PARSERS[kind] : undefined;
  if (operation === "DELETE" || parse === undefined) return reviewAnswer({ uid, allowed: true });
  const parsed = parse(object["spec"] ?? {});
  if ("value" in parsed) {
    const warnings = parsed.warnings.map(render);
    return reviewAnswer({ uid, allowed: true, ...(warnings.length > 0 ? { warnings } : {}) });
  }
  const errors = parsed.violations.filter((violation) => violation.severity === "error").map(render);
  const message = `${kind} ${namespace}/${name} is not valid: ${errors.join("; ")}`;
  return reviewAnswer({ uid, allowed: false, status: { message, code: 400 } });
}

function render(violation: Violation): string {
  return `${violation.path}: ${violation.message}`;
}
