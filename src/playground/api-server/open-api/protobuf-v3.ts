// An OpenAPI v3 document as the protobuf of gnostic's openapi.v3.Document.
import type { JsonObject, JsonValue } from "../contract.ts";
import { isObject } from "../json.ts";
import {
  amount,
  any,
  boxed,
  bytes,
  choice,
  count,
  documentContent,
  double,
  type Encoder,
  each,
  entries,
  type Fields,
  flag,
  message,
  orReference,
  text,
  word,
} from "./protobuf-fields.ts";

const EXTENSIONS_OF_SCHEMA = 36;
const EXTENSIONS_OF_OPERATION = 13;

/** What is neither number nor text nor true or false has no place in it. */
const plain: Encoder = (number, value) => bytes(number, plainContent(value));

function plainContent(value: JsonValue): Buffer {
  if (typeof value === "number") return amount(1, value);
  if (typeof value === "boolean") return choice(2, value);
  return typeof value === "string" ? word(3, value) : Buffer.alloc(0);
}

const SCHEMA: Fields = {
  nullable: [1, flag],
  externalDocs: [6, message(() => ({ description: [1, text], url: [2, text] }))],
  example: [7, any],
  title: [9, text],
  multipleOf: [10, double],
  maximum: [11, double],
  exclusiveMaximum: [12, flag],
  minimum: [13, double],
  exclusiveMinimum: [14, flag],
  maxLength: [15, count],
  minLength: [16, count],
  pattern: [17, text],
  maxItems: [18, count],
  minItems: [19, count],
  uniqueItems: [20, flag],
  maxProperties: [21, count],
  minProperties: [22, count],
  required: [23, each(word)],
  enum: [24, each(any)],
  type: [25, text],
  allOf: [26, each((number, value) => schema(number, value))],
  oneOf: [27, each((number, value) => schema(number, value))],
  anyOf: [28, each((number, value) => schema(number, value))],
  not: [29, (number, value) => itself(number, value)],
  items: [30, boxed(1, (number, value) => schema(number, value))],
  properties: [
    31,
    boxed(
      1,
      entries((number, value) => schema(number, value)),
    ),
  ],
  additionalProperties: [32, (number, value) => bytes(number, isObject(value) ? schema(1, value) : choice(2, value))],
  default: [33, plain],
  description: [34, text],
  format: [35, text],
};
const itself = message(() => SCHEMA, EXTENSIONS_OF_SCHEMA);
const schema = orReference(itself);

const MEDIA: Fields = { schema: [1, schema] };
const media = boxed(1, entries(message(() => MEDIA)));
const PARAMETER: Fields = {
  name: [1, text],
  in: [2, text],
  description: [3, text],
  required: [4, flag],
  schema: [10, schema],
};
const parameters = each(orReference(message(() => PARAMETER)));
const RESPONSE: Fields = { description: [1, text], content: [3, media] };
const BODY: Fields = { content: [2, media], required: [3, flag] };
const OPERATION: Fields = {
  tags: [1, each(word)],
  description: [3, text],
  operationId: [5, text],
  parameters: [6, parameters],
  requestBody: [7, orReference(message(() => BODY))],
  responses: [8, boxed(2, entries(orReference(message(() => RESPONSE))))],
};
const operation = message(() => OPERATION, EXTENSIONS_OF_OPERATION);
const PATH_ITEM: Fields = {
  get: [4, operation],
  put: [5, operation],
  post: [6, operation],
  delete: [7, operation],
  options: [8, operation],
  head: [9, operation],
  patch: [10, operation],
  parameters: [13, parameters],
};
const SCHEME: Fields = { type: [1, text], description: [2, text], name: [3, text], in: [4, text] };
const COMPONENTS: Fields = {
  schemas: [1, boxed(1, entries(schema))],
  securitySchemes: [7, boxed(1, entries(orReference(message(() => SCHEME))))],
};
const DOCUMENT: Fields = {
  openapi: [1, text],
  info: [2, message(() => ({ title: [1, text], version: [6, text] }))],
  paths: [4, boxed(1, entries(message(() => PATH_ITEM)))],
  components: [5, message(() => COMPONENTS)],
};

export function protobufV3(document: JsonObject): Buffer {
  return documentContent(DOCUMENT, document);
}
