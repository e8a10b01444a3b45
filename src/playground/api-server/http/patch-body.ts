// The body of a patch, read as its type wants it. What is wrong with it is told in the words of Kubernetes.
import { parse as parseYaml, YAMLParseError } from "yaml";
import type { WriteContext } from "../api-context.ts";
import { badRequest, invalid } from "../api-errors.ts";
import type { JsonValue } from "../contract.ts";
import { isObject } from "../json.ts";
import { sortedJson } from "../patch/patch-refusal.ts";
import { mergePatch, PATCH_TYPES } from "../patch/patches.ts";
import { scanJson } from "./scan-json.ts";

export interface PatchBody {
  readonly value: JsonValue;
  /** What a strict reader finds wrong with it. */
  readonly faults: readonly string[];
}

type Validation = WriteContext["fieldValidation"];

/** Throws 400 or 422. */
export function readPatch(type: string, bytes: Buffer, validation: Validation): PatchBody {
  if (type === PATCH_TYPES.apply) return readApplied(bytes);
  const read = READERS[type];
  const text = bytes.toString("utf8");
  return read === undefined ? { value: {}, faults: [] } : read(text, validation);
}

const READERS: Readonly<Record<string, (text: string, validation: Validation) => PatchBody>> = {
  [PATCH_TYPES.json](text, validation) {
    const strict = validation !== "Ignore";
    const [list, item] = strict ? ["[]handlers.jsonPatchOp", "handlers.jsonPatchOp"] : LENIENT;
    const refuse = (why: string) => badRequest(strict ? `error decoding patch: ${why}` : why);
    const { value, duplicates } = parsed(text, refuse);
    if (value === null) return { value: [], faults: [] };
    if (!Array.isArray(value)) throw refuse(`json: cannot unmarshal ${jsonType(value)} into Go value of type ${list}`);
    const wrong = value.find((one) => !isObject(one) && one !== null);
    if (wrong !== undefined) throw refuse(`json: cannot unmarshal ${jsonType(wrong)} into Go value of type ${item}`);
    const faults = [...duplicates.map((path) => `duplicate field ${JSON.stringify(path)}`), ...unknownFields(value)];
    return { value, faults: faults.map((fault) => `json patch ${fault}`) };
  },
  [PATCH_TYPES.merge](text, validation) {
    if (validation === "Ignore") return readMerge(text);
    const refuse = (why: string) => badRequest(`error decoding patch: ${why}`);
    const { value, duplicates } = parsed(text, refuse);
    if (value === null) throw badRequest(NO_PATCH);
    if (!isObject(value)) throw refuse(`json: cannot unmarshal ${jsonType(value)} into Go value of type ${MAP}`);
    return { value, faults: duplicates.map((path) => `duplicate field ${JSON.stringify(path)}`) };
  },
  [PATCH_TYPES.strategic](text) {
    const { value, duplicates } = parsed(text, badRequest);
    if (value === null) return { value: {}, faults: [] };
    if (!isObject(value)) throw badRequest(`json: cannot unmarshal ${jsonType(value)} into Go value of type ${MAP}`);
    return { value, faults: duplicates.map((path) => `duplicate field ${JSON.stringify(path)}`) };
  },
};

const LENIENT = ["jsonpatch.Patch", "jsonpatch.Operation"];
const MAP = "map[string]interface {}";
const NO_PATCH = "Invalid JSON Patch";
const VERSION_AND_KIND =
  'Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

/** Without validation a list replaces the whole object, which then is none any more. */
function readMerge(text: string): PatchBody {
  const { value } = parsed(text, () => badRequest(NO_PATCH));
  if (isObject(value)) return { value, faults: [] };
  if (!Array.isArray(value)) throw badRequest(NO_PATCH);
  const detail = `couldn't get version/kind; json parse error: json: cannot unmarshal array into ${VERSION_AND_KIND}`;
  throw invalid({ group: "", kind: "" }, "", [
    { field: "patch", type: "FieldValueInvalid", value: sortedJson(mergePatch(undefined, value)), detail },
  ]);
}

function parsed(text: string, refuse: (why: string) => Error) {
  const { fault, duplicates } = scanJson(text);
  if (fault !== undefined) throw refuse(fault);
  return { value: JSON.parse(text) as JsonValue, duplicates };
}

function jsonType(value: JsonValue): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "boolean" ? "bool" : typeof value;
}

const OPERATION_FIELDS = new Set(["op", "path", "from", "value"]);

const unknownFields = (operations: readonly JsonValue[]) =>
  operations.flatMap((operation, index) =>
    Object.keys(isObject(operation) ? operation : {})
      .filter((key) => !OPERATION_FIELDS.has(key))
      .map((key) => `unknown field ${JSON.stringify(`[${index}].${key}`)}`),
  );

/** Most clients send JSON under this name, which a YAML reader takes many times as long for. */
function readApplied(bytes: Buffer): PatchBody {
  const text = bytes.toString("utf8");
  const value = quickJson(text) ?? yamlOf(text);
  if (value === null || value === undefined) return { value: {}, faults: [] };
  if (isObject(value)) return { value, faults: [] };
  const why = `json: cannot unmarshal ${jsonType(value)} into Go value of type ${MAP}`;
  throw badRequest(`error decoding YAML: error unmarshaling JSON: while decoding JSON: ${why}`);
}

function quickJson(text: string): JsonValue | undefined {
  try {
    return text.startsWith("{") ? (JSON.parse(text) as JsonValue) : undefined;
  } catch {
    // Flow style YAML begins with a brace too; its reader tells what is wrong.
    return undefined;
  }
}

function yamlOf(text: string): JsonValue {
  try {
    return parseYaml(text, { uniqueKeys: false }) as JsonValue;
  } catch (thrown) {
    const at = thrown instanceof YAMLParseError ? thrown.linePos?.[0].line : undefined;
    const why = `yaml: line ${at ?? 1}: did not find expected node content`;
    throw badRequest(`error decoding YAML: error converting YAML to JSON: ${why}`);
  }
}
