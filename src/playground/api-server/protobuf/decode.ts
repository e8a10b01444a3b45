// kubectl >= 1.32 sends the objects of its typed `create` commands as protobuf: "k8s\0", then a runtime.Unknown that
// names apiVersion and kind and carries the object's message. Everything is answered in JSON, so decoding is enough.
import { ApiStatusError, type JsonObject, type JsonValue } from "../contract.ts";
import { MESSAGES, PACKAGES } from "./gen/messages.ts";
import { packedVarints, type WireField, wireFields } from "./wire-reader.ts";

const MAGIC = Buffer.from("k8s\0", "latin1");
const META = "k8s.io.apimachinery.pkg.apis.meta.v1";
const MAX_DEPTH = 64;

interface Field {
  readonly name: string;
  readonly type: string;
  readonly repeated: boolean;
  readonly map: boolean;
  readonly inline: boolean;
  readonly keepsZero: boolean;
}

/**
 * Decodes a request body of media type application/vnd.kubernetes.protobuf into the JSON that kubectl < 1.32 would have
 * sent. Throws ApiStatusError 400 for damaged bytes and 415 for a kind that has no protobuf form here.
 */
export function decodeKubernetesProtobuf(body: Buffer): JsonObject {
  if (!body.subarray(0, 4).equals(MAGIC)) throw badRequest("the body does not start with the prefix k8s\\0");
  try {
    const unknown = Object.fromEntries([...wireFields(body.subarray(4))].map((field) => [field.number, field.bytes]));
    const [apiVersion = "", kind = ""] = typeMeta(unknown[1]);
    const message = messageOf(apiVersion, kind);
    if (message === undefined) {
      const text = `no protobuf form of ${apiVersion} ${kind} is known; send application/json`;
      throw new ApiStatusError(415, "UnsupportedMediaType", text);
    }
    return { kind, apiVersion, ...decodeMessage(message, unknown[2] ?? Buffer.alloc(0), 0) };
  } catch (thrown) {
    if (thrown instanceof ApiStatusError) throw thrown;
    throw badRequest(thrown instanceof Error ? thrown.message : String(thrown));
  }
}

function badRequest(why: string): ApiStatusError {
  return new ApiStatusError(400, "BadRequest", `couldn't decode the protobuf body: ${why}`);
}

function typeMeta(bytes: Buffer | undefined): string[] {
  const texts: string[] = [];
  for (const field of wireFields(bytes ?? Buffer.alloc(0))) texts[field.number - 1] = field.bytes.toString("utf8");
  return texts;
}

function messageOf(apiVersion: string, kind: string): string | undefined {
  const own = `${PACKAGES[apiVersion]}.${kind}`;
  // DeleteOptions and the like may be named with the version of any group.
  return [own, `${META}.${kind}`].find((name) => Array.isArray(MESSAGES[name]));
}

const fieldTables = new Map<string, ReadonlyMap<number, Field>>();

function fieldsOf(message: string): ReadonlyMap<number, Field> {
  const known = fieldTables.get(message);
  if (known !== undefined) return known;
  const rows = MESSAGES[message];
  const table = new Map((Array.isArray(rows) ? rows : []).map(parseField));
  fieldTables.set(message, table);
  return table;
}

function parseField(row: string): [number, Field] {
  const [number = "0", name = "", type = "", flags = ""] = row.split(" ");
  return [
    Number(number),
    {
      name,
      type,
      repeated: flags.includes("*"),
      map: flags.includes("%"),
      inline: flags.includes("^"),
      keepsZero: flags.includes("0"),
    },
  ];
}

function decodeMessage(message: string, bytes: Buffer, depth: number): JsonObject {
  if (depth > MAX_DEPTH) throw new Error("messages are nested too deeply");
  const fields = fieldsOf(message);
  const result: JsonObject = {};
  for (const wire of wireFields(bytes)) {
    const field = fields.get(wire.number);
    if (field === undefined) continue;
    if (field.map) addEntry(result, field, wire.bytes, depth);
    else if (field.repeated) addItems(result, field, wire, depth);
    else if (field.inline) Object.assign(result, decodeMessage(field.type, wire.bytes, depth + 1));
    else setValue(result, field, decodeValue(field.type, wire, depth));
  }
  return result;
}

/** Go's protobuf writes zero values that its JSON leaves out. */
function setValue(result: JsonObject, field: Field, value: JsonValue | undefined): void {
  if (value === undefined || value === null) return;
  if (!field.keepsZero && (value === "" || value === 0 || value === false)) return;
  result[field.name] = value;
}

function addItems(result: JsonObject, field: Field, wire: WireField, depth: number): void {
  const present = result[field.name];
  const list: JsonValue[] = Array.isArray(present) ? present : [];
  result[field.name] = list;
  const packed = wire.value === undefined && field.type in NUMBERS;
  const wires = packed ? packedVarints(wire.bytes).map((value) => ({ ...wire, value })) : [wire];
  for (const one of wires) list.push(decodeValue(field.type, one, depth) ?? null);
}

function addEntry(result: JsonObject, field: Field, bytes: Buffer, depth: number): void {
  let key = "";
  let value: JsonValue | undefined;
  for (const wire of wireFields(bytes)) {
    if (wire.number === 1) key = wire.bytes.toString("utf8");
    if (wire.number === 2) value = decodeValue(field.type, wire, depth);
  }
  const present = result[field.name];
  const map: JsonObject = typeof present === "object" && !Array.isArray(present) ? (present ?? {}) : {};
  // defineProperty: a key named __proto__ is data here, not the prototype.
  Object.defineProperty(map, key, { value: value ?? "", enumerable: true, writable: true, configurable: true });
  result[field.name] = map;
}

const signed = (wire: WireField) => Number(BigInt.asIntN(64, wire.value ?? 0n));
const unsigned = (wire: WireField) => Number(wire.value ?? 0n);

const NUMBERS: Readonly<Record<string, (wire: WireField) => JsonValue>> = {
  bool: (wire) => wire.value === 1n,
  int32: signed,
  int64: signed,
  uint32: unsigned,
  uint64: unsigned,
};

const DECODERS: Readonly<Record<string, (wire: WireField) => JsonValue | undefined>> = {
  ...NUMBERS,
  string: (wire) => wire.bytes.toString("utf8"),
  bytes: (wire) => wire.bytes.toString("base64"),
  double: (wire) => wire.bytes.readDoubleLE(),
  "k8s.io.apimachinery.pkg.api.resource.Quantity": (wire) => textField(wire.bytes, 1),
  "k8s.io.apimachinery.pkg.util.intstr.IntOrString": (wire) =>
    numberField(wire.bytes, 1) === 0 ? numberField(wire.bytes, 2) : textField(wire.bytes, 3),
  [`${META}.Time`]: (wire) => timestamp(wire.bytes, 0),
  [`${META}.MicroTime`]: (wire) => timestamp(wire.bytes, 6),
  [`${META}.Duration`]: (wire) => `${numberField(wire.bytes, 1) / 1e9}s`,
  [`${META}.FieldsV1`]: rawJson,
  "k8s.io.apimachinery.pkg.runtime.RawExtension": rawJson,
};

function decodeValue(type: string, wire: WireField, depth: number): JsonValue | undefined {
  const decoder = DECODERS[type];
  if (decoder !== undefined) return decoder(wire);
  const items = MESSAGES[type];
  if (typeof items !== "string") return decodeMessage(type, wire.bytes, depth + 1);
  return [...wireFields(wire.bytes)].map((item) => decodeValue(items, item, depth + 1) ?? null);
}

function numberField(bytes: Buffer, number: number): number {
  for (const wire of wireFields(bytes)) if (wire.number === number) return signed(wire);
  return 0;
}

function textField(bytes: Buffer, number: number): string {
  for (const wire of wireFields(bytes)) if (wire.number === number) return wire.bytes.toString("utf8");
  return "";
}

/** RFC 3339; an empty message is the zero time, which JSON shows as null. */
function timestamp(bytes: Buffer, digits: number): string | undefined {
  if (bytes.length === 0) return undefined;
  const date = new Date(numberField(bytes, 1) * 1000);
  const whole = date.toISOString().slice(0, 19);
  const fraction = String(numberField(bytes, 2)).padStart(9, "0").slice(0, digits);
  return digits === 0 ? `${whole}Z` : `${whole}.${fraction}Z`;
}

/** RawExtension and FieldsV1 carry JSON text in field 1. */
function rawJson(wire: WireField): JsonValue | undefined {
  const text = textField(wire.bytes, 1);
  return text === "" ? undefined : (JSON.parse(text) as JsonValue);
}
