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

const GATEWAY_FIELDS = new Set(["name", "namespace", "enabled", "label", "k8s"]);
const K8S_FIELDS = new Set([
  "affinity",
  "env",
  "hpaSpec",
  "imagePullPolicy",
  "nodeSelector",
  "podAnnotations",
  "podDisruptionBudget",
  "priorityClassName",
  "readinessProbe",
  "replicaCount",
  "resources",
  "securityContext",
  "service",
  "serviceAnnotations",
  "strategy",
  "tolerations",
  "volumes",
  "volumeMounts",
  "overlays",
]);
const LISTS = new Set(["env", "tolerations", "volumes", "volumeMounts", "overlays"]);
const SCALARS = new Set(["imagePullPolicy", "priorityClassName", "replicaCount"]);
/** Components of Istio that there is nothing of here. */
const ABSENT_COMPONENTS = ["cni", "ztunnel", "istiodRemote"];

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
    const found = [value["apiVersion"] ?? "(no apiVersion)", value["kind"] ?? "(no kind)"].map(String).join(" ");
    throw invalid(`${where} is ${found}, expected ${API_VERSION} IstioOperator`);
  }
  const spec = value["spec"] ?? {};
  if (!isTree(spec)) throw invalid(`${where}: spec must be an object`);
  const warnings: string[] = [];
  for (const field of Object.keys(spec))
    if (!SPEC_FIELDS.has(field)) throw invalid(`${where}: spec.${field} is not a known field`);
  if (spec["addonComponents"] !== undefined)
    warnings.push(`${where}: spec.addonComponents is ignored: install addons from samples`);
  warnings.push(...checkComponents(spec["components"] ?? {}, `${where}: spec.components`));
  for (const tree of ["values", "unvalidatedValues", "meshConfig"]) {
    if (spec[tree] !== undefined && !isTree(spec[tree])) throw invalid(`${where}: spec.${tree} must be an object`);
  }
  return { operator: value as unknown as IstioOperator, warnings };
}

/** Gives a sentence for each component that is asked for and does not exist here. */
function checkComponents(components: TreeValue, where: string): string[] {
  if (!isTree(components)) throw invalid(`${where} must be an object`);
  for (const [field, value] of Object.entries(components)) {
    if (!COMPONENT_FIELDS.has(field)) throw invalid(`${where}.${field} is not a known field`);
    if (field.endsWith("Gateways")) checkGateways(value, `${where}.${field}`);
    else if (value !== null) checkComponent(value, `${where}.${field}`, COMPONENT_SETTINGS);
  }
  return ABSENT_COMPONENTS.filter((name) => isTree(components[name]) && components[name]["enabled"] === true).map(
    (name) => `${where}.${name} is ignored: there is no such component here`,
  );
}

const COMPONENT_SETTINGS = new Set(["enabled", "namespace", "k8s"]);

function checkGateways(value: TreeValue | undefined, where: string): void {
  if (value === undefined || value === null) return;
  if (!Array.isArray(value)) throw invalid(`${where} must be a list`);
  for (const [index, gateway] of value.entries()) {
    const name = checkComponent(gateway, `${where}[${index}]`, GATEWAY_FIELDS)["name"];
    if (name !== undefined && (typeof name !== "string" || !/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name))) {
      throw invalid(`${where}[${index}].name ${JSON.stringify(name)} is not a DNS-1123 label`);
    }
  }
}

function checkComponent(value: TreeValue, where: string, fields: ReadonlySet<string>): Tree {
  if (!isTree(value)) throw invalid(`${where} must be an object`);
  for (const field of Object.keys(value))
    if (!fields.has(field)) throw invalid(`${where}.${field} is not a known field`);
  const { enabled, label, k8s } = value;
  if (enabled !== undefined && typeof enabled !== "boolean") throw invalid(`${where}.enabled must be true or false`);
  if (label !== undefined && !isTree(label)) throw invalid(`${where}.label must be an object`);
  if (k8s !== undefined && k8s !== null) checkSettings(k8s, `${where}.k8s`);
  return value;
}

function checkSettings(k8s: TreeValue, where: string): void {
  if (!isTree(k8s)) throw invalid(`${where} must be an object`);
  for (const [field, value] of Object.entries(k8s)) {
    if (!K8S_FIELDS.has(field)) throw invalid(`${where}.${field} is not a known field`);
    if (value === null) continue;
    if (LISTS.has(field) && !Array.isArray(value)) throw invalid(`${where}.${field} must be a list`);
    if (!LISTS.has(field) && !SCALARS.has(field) && !isTree(value))
      throw invalid(`${where}.${field} must be an object`);
  }
}

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(message: string): MeshError {
  return new MeshError("OPERATOR_INVALID", message, { hint: "see samples/ for IstioOperator files that work" });
}
