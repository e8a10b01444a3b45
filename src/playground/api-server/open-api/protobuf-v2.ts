// An OpenAPI v2 document as the protobuf of gnostic's openapi.v2.Document, in which kubectl asks for it.
import type { JsonObject } from "../contract.ts";
import { isObject } from "../json.ts";
import {
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

const SCHEMA: Fields = {
  $ref: [1, text],
  format: [2, text],
  title: [3, text],
  description: [4, text],
  default: [5, any],
  multipleOf: [6, double],
  maximum: [7, double],
  exclusiveMaximum: [8, flag],
  minimum: [9, double],
  exclusiveMinimum: [10, flag],
  maxLength: [11, count],
  minLength: [12, count],
  pattern: [13, text],
  maxItems: [14, count],
  minItems: [15, count],
  uniqueItems: [16, flag],
  maxProperties: [17, count],
  minProperties: [18, count],
  required: [19, each(word)],
  enum: [20, each(any)],
  additionalProperties: [21, (number, value) => bytes(number, isObject(value) ? schema(1, value) : choice(2, value))],
  type: [22, boxed(1, each(word))],
  items: [23, boxed(1, (number, value) => schema(number, value))],
  properties: [
    25,
    boxed(
      1,
      entries((number, value) => schema(number, value)),
    ),
  ],
  externalDocs: [29, message(() => ({ description: [1, text], url: [2, text] }))],
  example: [30, any],
};
const schema = message(() => SCHEMA, 31);

const BODY: Fields = {
  description: [1, text],
  name: [2, text],
  in: [3, text],
  required: [4, flag],
  schema: [5, schema],
};
const BESIDE: Fields = { required: [1, flag], in: [2, text], description: [3, text], name: [4, text] };
const QUERY: Fields = { ...BESIDE, type: [6, text], uniqueItems: [20, flag] };
const PATH: Fields = { ...BESIDE, type: [5, text], uniqueItems: [19, flag] };
const ELSEWHERE: Readonly<Record<string, Encoder>> = {
  query: boxed(
    3,
    message(() => QUERY),
  ),
  path: boxed(
    4,
    message(() => PATH),
  ),
};

const parameter: Encoder = (number, value) => {
  const elsewhere = isObject(value) ? ELSEWHERE[String(value["in"])] : undefined;
  return bytes(number, elsewhere === undefined ? message(() => BODY)(1, value) : elsewhere(2, value));
};
const parameterOrReference = orReference(parameter);

const RESPONSE: Fields = { description: [1, text], schema: [2, boxed(1, schema)] };
const response = boxed(
  1,
  message(() => RESPONSE),
);
const OPERATION: Fields = {
  tags: [1, each(word)],
  description: [3, text],
  operationId: [5, text],
  produces: [6, each(word)],
  consumes: [7, each(word)],
  parameters: [8, each(parameterOrReference)],
  responses: [9, boxed(1, entries(response))],
  schemes: [10, each(word)],
};
const operation = message(() => OPERATION, 13);
const PATH_ITEM: Fields = {
  get: [2, operation],
  put: [3, operation],
  post: [4, operation],
  delete: [5, operation],
  options: [6, operation],
  head: [7, operation],
  patch: [8, operation],
  parameters: [9, each(parameterOrReference)],
};
const KEY: Fields = { type: [1, text], name: [2, text], in: [3, text], description: [4, text] };
const DOCUMENT: Fields = {
  swagger: [1, text],
  info: [2, message(() => ({ title: [1, text], version: [2, text] }))],
  paths: [8, (number, value) => bytes(number, entries(message(() => PATH_ITEM))(2, value))],
  definitions: [9, boxed(1, entries(schema))],
  parameters: [10, boxed(1, entries(parameter))],
  security: [12, each(boxed(1, entries(boxed(1, each(word)))))],
  securityDefinitions: [
    13,
    boxed(
      1,
      entries(
        boxed(
          2,
          message(() => KEY),
        ),
      ),
    ),
  ],
};

export function protobufV2(document: JsonObject): Buffer {
  return documentContent(DOCUMENT, document);
}
