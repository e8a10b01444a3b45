// The messages of incremental discovery (envoy.service.discovery.v3), read and written by hand: resources stay the
// serialized google.protobuf.Any they are, so that equal sidecars share bytes. Field numbers are those of Envoy 1.40.
import { type BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { type JsonObject, readStruct, writeStruct } from "./struct.ts";
import {
  encode,
  type FieldReader,
  readEntry,
  readFields,
  writeBytes,
  writeEntry,
  writeMessage,
  writeString,
} from "./wire-fields.ts";

/** The gRPC method of delta ADS. */
export const DELTA_ADS_METHOD = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";

export interface XdsLocality {
  readonly region: string;
  readonly zone: string;
  readonly subZone: string;
}

/** Who asks: `envoy.config.core.v3.Node`, metadata as plain JSON. */
export interface XdsNode {
  readonly id: string;
  readonly cluster: string;
  readonly metadata: JsonObject;
  readonly locality: XdsLocality | undefined;
}

/** One named resource: `any` is a serialized google.protobuf.Any, `version` the hash of its content. */
export interface XdsResource {
  readonly name: string;
  readonly version: string;
  readonly any: Uint8Array;
}

export interface DeltaRequest {
  readonly node: XdsNode | undefined;
  readonly typeUrl: string;
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  readonly initialVersions: ReadonlyMap<string, string>;
  /** Empty in a request that answers no response. */
  readonly responseNonce: string;
  /** Set when the response with this nonce is refused. */
  readonly error: { readonly code: number; readonly message: string } | undefined;
}

export interface DeltaResponse {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly systemVersion: string;
  readonly resources: readonly XdsResource[];
  readonly removed: readonly string[];
}

export const EMPTY_DELTA_REQUEST: DeltaRequest = {
  node: undefined,
  typeUrl: "",
  subscribe: [],
  unsubscribe: [],
  initialVersions: new Map(),
  responseNonce: "",
  error: undefined,
};

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
interface RequestDraft extends Mutable<Omit<DeltaRequest, "subscribe" | "unsubscribe" | "initialVersions">> {
  subscribe: string[];
  unsubscribe: string[];
  initialVersions: Map<string, string>;
}

const REQUEST_FIELDS: Record<number, FieldReader<RequestDraft>> = {
  1: (into, reader) => {
    into.node = readNode(reader.bytes());
  },
  2: (into, reader) => {
    into.typeUrl = reader.string();
  },
  3: (into, reader) => into.subscribe.push(reader.string()),
  4: (into, reader) => into.unsubscribe.push(reader.string()),
  5: (into, reader) => into.initialVersions.set(...readEntry(reader.bytes())),
  6: (into, reader) => {
    into.responseNonce = reader.string();
  },
  7: (into, reader) => {
    into.error = readStatus(reader.bytes());
  },
};

/** Throws RangeError for bytes that are no such message. */
export function decodeDeltaRequest(bytes: Uint8Array): DeltaRequest {
  const draft: RequestDraft = { ...EMPTY_DELTA_REQUEST, subscribe: [], unsubscribe: [], initialVersions: new Map() };
  return readFields(bytes, draft, REQUEST_FIELDS);
}

export function encodeDeltaRequest(request: Partial<DeltaRequest>): Uint8Array {
  const { node, typeUrl, subscribe, unsubscribe, initialVersions, responseNonce, error } = {
    ...EMPTY_DELTA_REQUEST,
    ...request,
  };
  return encode((writer) => {
    if (node !== undefined) writeMessage(writer, 1, (nested) => writeNode(nested, node));
    writeString(writer, 2, typeUrl);
    for (const name of subscribe) writer.tag(3, WireType.LengthDelimited).string(name);
    for (const name of unsubscribe) writer.tag(4, WireType.LengthDelimited).string(name);
    for (const entry of initialVersions) writeEntry(writer, 5, entry);
    writeString(writer, 6, responseNonce);
    if (error !== undefined) {
      writeMessage(writer, 7, (status) => {
        status.tag(1, WireType.Varint).int32(error.code);
        writeString(status, 2, error.message);
      });
    }
  });
}

function readStatus(bytes: Uint8Array) {
  return readFields(
    bytes,
    { code: 0, message: "" },
    {
      1: (into, reader) => {
        into.code = reader.int32();
      },
      2: (into, reader) => {
        into.message = reader.string();
      },
    },
  );
}

function writeNode(writer: BinaryWriter, node: XdsNode): void {
  writeString(writer, 1, node.id);
  writeString(writer, 2, node.cluster);
  writeMessage(writer, 3, (nested) => writeStruct(nested, node.metadata));
  const { locality } = node;
  if (locality === undefined) return;
  writeMessage(writer, 4, (nested) => {
    writeString(nested, 1, locality.region);
    writeString(nested, 2, locality.zone);
    writeString(nested, 3, locality.subZone);
  });
}

const NODE_FIELDS: Record<number, FieldReader<Mutable<XdsNode>>> = {
  1: (into, reader) => {
    into.id = reader.string();
  },
  2: (into, reader) => {
    into.cluster = reader.string();
  },
  3: (into, reader) => {
    into.metadata = readStruct(reader.bytes());
  },
  4: (into, reader) => {
    into.locality = readFields<Mutable<XdsLocality>>(
      reader.bytes(),
      { region: "", zone: "", subZone: "" },
      {
        1: (locality, nested) => {
          locality.region = nested.string();
        },
        2: (locality, nested) => {
          locality.zone = nested.string();
        },
        3: (locality, nested) => {
          locality.subZone = nested.string();
        },
      },
    );
  },
};

function readNode(bytes: Uint8Array): XdsNode {
  return readFields<Mutable<XdsNode>>(bytes, { id: "", cluster: "", metadata: {}, locality: undefined }, NODE_FIELDS);
}

export function encodeDeltaResponse(response: DeltaResponse): Uint8Array {
  return encode((writer) => {
    writeString(writer, 1, response.systemVersion);
    for (const resource of response.resources) {
      writeMessage(writer, 2, (nested) => {
        writeString(nested, 1, resource.version);
        writeBytes(nested, 2, resource.any);
        writeString(nested, 3, resource.name);
      });
    }
    writeString(writer, 4, response.typeUrl);
    writeString(writer, 5, response.nonce);
    for (const name of response.removed) writer.tag(6, WireType.LengthDelimited).string(name);
  });
}

interface ResponseDraft extends Mutable<Omit<DeltaResponse, "resources" | "removed">> {
  resources: XdsResource[];
  removed: string[];
}

const RESPONSE_FIELDS: Record<number, FieldReader<ResponseDraft>> = {
  1: (into, reader) => {
    into.systemVersion = reader.string();
  },
  2: (into, reader) => into.resources.push(readResource(reader.bytes())),
  4: (into, reader) => {
    into.typeUrl = reader.string();
  },
  5: (into, reader) => {
    into.nonce = reader.string();
  },
  6: (into, reader) => into.removed.push(reader.string()),
};

export function decodeDeltaResponse(bytes: Uint8Array): DeltaResponse {
  const draft: ResponseDraft = { typeUrl: "", nonce: "", systemVersion: "", resources: [], removed: [] };
  return readFields(bytes, draft, RESPONSE_FIELDS);
}

function readResource(bytes: Uint8Array): XdsResource {
  return readFields<Mutable<XdsResource>>(
    bytes,
    { name: "", version: "", any: new Uint8Array() },
    {
      1: (into, reader) => {
        into.version = reader.string();
      },
      2: (into, reader) => {
        into.any = reader.bytes();
      },
      3: (into, reader) => {
        into.name = reader.string();
      },
    },
  );
}

const TYPE_URL_ONLY: Record<number, FieldReader<{ typeUrl: string }>> = {
  2: (into, reader) => {
    into.typeUrl = reader.string();
  },
};
const RESPONSE_TYPE_ONLY: Record<number, FieldReader<{ typeUrl: string }>> = {
  4: (into, reader) => {
    into.typeUrl = reader.string();
  },
};

/** The type URL of a serialized request, without reading the rest: what a relay needs. */
export function typeUrlOfRequest(bytes: Uint8Array): string {
  return readFields(bytes, { typeUrl: "" }, TYPE_URL_ONLY).typeUrl;
}

/** The type URL of a serialized response, without reading the rest. */
export function typeUrlOfResponse(bytes: Uint8Array): string {
  return readFields(bytes, { typeUrl: "" }, RESPONSE_TYPE_ONLY).typeUrl;
}
