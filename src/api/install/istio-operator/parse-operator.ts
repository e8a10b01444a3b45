import { parseAllDocuments } from "yaml";
import { MeshError } from "#base/mesh-error";
import type { IstioOperator, Tree, TreeValue } from "./istio-operator.ts";

const API_VERSION = "install.istio.io/v1alpha1";

const SPEC_FIELDS = new Set([
  "profile",
  "hub",
  "tag",
  "revision",
  "namespace",
  "installPackagePath",
  "meshConfig",
  "components",
  "addonComponents",
  "values",
  "unvalidatedValues",
  "compatibilityVersion",
]);
const COMPONENT_FIELDS = new Set([
  "base",
  "pilot",
  "cni",
  "ztunnel",
  "istiodRemote",
  "ingressGateways",
  "egressGateways",
]);

export interface ParsedOperator {
  readonly operator: IstioOperator;
  /** Things that were understood and left out, one sentence each. */
  readonly warnings: readonly string[];
}

/**
 * Reads the IstioOperator documents of one YAML text. Throws MeshError OPERATOR_INVALID naming file, document and
 * field; fields of newer or older releases that change nothing here come back as warnings.
 */
export function parseOperators(text: string, file: string): ParsedOperator[] {
  const found: ParsedOperator[] = [];
  for (const [index, document] of parseAllDocuments(text).entries()) {
    const where = `${file}, document ${index + 1}`;
    const problem = document.errors[0];
    if (problem !== undefined) throw invalid(`${where} is not YAML: ${problem.message.split("\n")[0]}`);
    const value: unknown = document.toJS();
    if (value === null || value === undefined) continue;
    found.push(checkOperator(value, where));
  }
  return found;
}

function checkOperator(value: unknown, where: string): ParsedOperator {
  if (!isTree(value)) throw invalid(`${where} is not an object`);
  if (value["kind"] !== "IstioOperator" || value["apiVersion"] !== API_VERSION) {
    throw invalid(
      `${where} is ${String(value["apiVersion"])} ${String(value["kind"])}, expected ${API_VERSION} IstioOperator`,
    );
  }
  const spec = value["spec"] ?? {};
  if (!isTree(spec)) throw invalid(`${where}: spec must be an object`);
  const warnings: string[] = [];
  for (const field of Object.keys(spec))
    if (!SPEC_FIELDS.has(field)) throw invalid(`${where}: unknown field spec.${field}`);
  if (spec["addonComponents"] !== undefined)
    warnings.push(`${where}: spec.addonComponents is ignored: install addons from samples`);
  const components = spec["components"] ?? {};
  if (!isTree(components)) throw invalid(`${where}: spec.components must be an object`);
  for (const field of Object.keys(components)) {
    if (!COMPONENT_FIELDS.has(field)) throw invalid(`${where}: unknown field spec.components.${field}`);
  }
  for (const list of ["ingressGateways", "egressGateways"])
    checkGateways(components[list], `${where}: spec.components.${list}`);
  for (const tree of ["values", "unvalidatedValues", "meshConfig"]) {
    if (spec[tree] !== undefined && !isTree(spec[tree])) throw invalid(`${where}: spec.${tree} must be an object`);
  }
  return { operator: value as unknown as IstioOperator, warnings };
}

function checkGateways(value: TreeValue | undefined, where: string): void {
  if (value === undefined) return;
  if (!Array.isArray(value)) throw invalid(`${where} must be a list`);
  for (const [index, gateway] of value.entries()) {
    if (!isTree(gateway)) throw invalid(`${where}[${index}] must be an object`);
    const { name } = gateway;
    if (name !== undefined && (typeof name !== "string" || !/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name))) {
      throw invalid(`${where}[${index}].name ${JSON.stringify(name)} is not a DNS-1123 label`);
    }
  }
}

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(message: string): MeshError {
  return new MeshError("OPERATOR_INVALID", message, { hint: "see samples/ for IstioOperator files that work" });
}
