// OpenAPI over HTTP: the forms that clients ask for, and the headers by which they keep what they got.
import type { ApiRequest, ApiResponse } from "../contract.ts";
import {
  type OpenApiDocuments,
  type OpenApiForm,
  type OpenApiText,
  serverRelativeUrl,
} from "../open-api/open-api-documents.ts";
import { send, sendEmpty, sendNoPage } from "./respond.ts";

interface Exchange {
  readonly request: ApiRequest;
  readonly response: ApiResponse;
}

type Forms = Readonly<Record<string, OpenApiForm>>;

const JSON_TYPES: Forms = { "application/json": "json", "application/*": "json", "*/*": "json", "*/json": "json" };
// An answer's name has no at sign: many clients cannot read one in a media type.
const protobufType = (version: string, sign: string) =>
  `application/com.github.proto-openapi.spec.${version}${sign}v1.0+protobuf`;
const formsOf = (version: string): Forms => ({
  ...JSON_TYPES,
  [protobufType(version, "@")]: "protobuf",
  [protobufType(version, ".")]: "protobuf",
});
const FORMS = { v2: formsOf("v2"), v3: formsOf("v3") };
const contentTypeOf = (version: "v2" | "v3", form: OpenApiForm) =>
  form === "json" ? "application/json" : protobufType(version, ".");
const YEAR_MS = 365 * 24 * 60 * 60 * 1000;

/** `rest` are the parts of the path after `/openapi/`. */
export function serveOpenApi(documents: OpenApiDocuments, rest: readonly string[], exchange: Exchange): void {
  const [form, ...path] = rest;
  if (form === "v2" && path.length === 0) serveV2(documents, exchange);
  else if (form === "v3" && path.length === 0) serveIndex(documents, exchange);
  else if (form === "v3") serveV3(documents, path.join("/"), exchange);
  else sendNoPage(exchange);
}

function serveIndex(documents: OpenApiDocuments, { response }: Exchange): void {
  response.setHeader("accept-ranges", "bytes");
  response.setHeader("last-modified", documents.modified().toUTCString());
  send(response, JSON.stringify(documents.index()), { contentType: "text/plain; charset=utf-8" });
}

function serveV2(documents: OpenApiDocuments, exchange: Exchange): void {
  exchange.response.setHeader("vary", ["Accept-Encoding", "Accept"]);
  const form = acceptedForm(exchange.request, FORMS.v2);
  if (form === undefined) sendEmpty(exchange.response, 406);
  else sendText(exchange, documents.v2(form), { contentType: contentTypeOf("v2", form) });
}

function serveV3(documents: OpenApiDocuments, path: string, exchange: Exchange): void {
  const { request, response } = exchange;
  const form = acceptedForm(request, FORMS.v3);
  const text = documents.v3(path, form ?? "json");
  if (text === undefined) {
    sendEmpty(response, 404);
    return;
  }
  response.setHeader("vary", "Accept");
  const hash = new URL(request.url ?? "/", "http://server").searchParams.get("hash");
  const contentType = contentTypeOf("v3", form ?? "json");
  if (form === undefined) sendEmpty(response, 406);
  else if (hash === null || hash === "") sendText(exchange, text, { contentType });
  else if (hash === text.hash) sendForever(exchange, text, contentType);
  else {
    response.setHeader("location", serverRelativeUrl(path, text.hash));
    response.setHeader("etag", `"${text.hash}"`);
    response.setHeader("content-type", contentType);
    sendEmpty(response, 301);
  }
}

/** The address names the content, which can therefore never become another. */
function sendForever(exchange: Exchange, text: OpenApiText, contentType: string): void {
  exchange.response.setHeader("expires", new Date(Date.now() + YEAR_MS).toUTCString().replace("GMT", "UTC"));
  sendText(exchange, text, { contentType, cacheControl: "public, immutable" });
}

interface TextOptions {
  readonly contentType?: string;
  readonly cacheControl?: string;
}

function sendText({ request, response }: Exchange, text: OpenApiText, options: TextOptions): void {
  const etag = `"${text.hash}"`;
  response.setHeader("etag", etag);
  if (knows(request, etag)) {
    if (options.cacheControl !== undefined) response.setHeader("cache-control", options.cacheControl);
    sendEmpty(response, 304);
    return;
  }
  response.setHeader("accept-ranges", "bytes");
  response.setHeader("last-modified", text.modified.toUTCString());
  send(response, text.body, options);
}

function knows(request: ApiRequest, etag: string): boolean {
  const given = request.headers["if-none-match"] ?? "";
  return given.split(",").some((one) => one.trim().replace(/^W\//, "") === etag || one.trim() === "*");
}

/** The form that the client likes best of those that there are. */
function acceptedForm(request: ApiRequest, types: Forms): OpenApiForm | undefined {
  const accept = request.headers.accept ?? "";
  if (accept === "") return "json";
  const wanted = accept
    .split(",")
    .map((entry) => entry.split(";").map((part) => part.trim()))
    .map(([type = "", ...parameters]) => ({ form: types[type], quality: qualityOf(parameters) }))
    .toSorted((a, b) => b.quality - a.quality);
  return wanted.find(({ form }) => form !== undefined)?.form;
}

function qualityOf(parameters: readonly string[]): number {
  const given = parameters.find((parameter) => parameter.startsWith("q="));
  return given === undefined ? 1 : Number(given.slice(2));
}
