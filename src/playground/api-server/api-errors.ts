// The errors of the Kubernetes API, with the wording and details that kubectl and client libraries look for.
import { ApiStatusError, type JsonObject } from "./contract.ts";

/** How messages name a resource: `deployments.apps`, `pods`. */
export interface ResourceName {
  readonly group: string;
  readonly plural: string;
}

/** One reason why an object is refused. `type` is Kubernetes' own: FieldValueRequired, FieldValueInvalid... */
export interface FieldError {
  readonly field: string;
  readonly type: keyof typeof FIELD_ERRORS;
  /** Shown unless it is absent or the type never shows one. */
  readonly value?: unknown;
  readonly detail: string;
}

const FIELD_ERRORS = {
  FieldValueRequired: "Required value",
  FieldValueInvalid: "Invalid value",
  FieldValueDuplicate: "Duplicate value",
  FieldValueNotSupported: "Unsupported value",
  FieldValueForbidden: "Forbidden",
  FieldValueTypeInvalid: "Invalid value",
  FieldValueTooLong: "Too long",
  FieldValueTooMany: "Too many",
  FieldValueNotFound: "Not found",
  InternalError: "Internal error",
} as const;

/** Reasons that never show the value. */
const WITHOUT_VALUE: readonly FieldError["type"][] = [
  "FieldValueRequired",
  "FieldValueForbidden",
  "FieldValueTooLong",
  "InternalError",
];

const qualified = ({ group, plural }: ResourceName) => (group === "" ? plural : `${plural}.${group}`);

const detailsOf = (resource: ResourceName, name: string): JsonObject => ({
  ...(name === "" ? {} : { name }),
  ...(resource.group === "" ? {} : { group: resource.group }),
  kind: resource.plural,
});

export function notFound(resource: ResourceName, name: string): ApiStatusError {
  return new ApiStatusError(404, "NotFound", `${qualified(resource)} "${name}" not found`, detailsOf(resource, name));
}

/** The path names no resource that is served. */
export function noSuchResource(): ApiStatusError {
  return new ApiStatusError(404, "NotFound", "the server could not find the requested resource", {});
}

export interface ObjectInTheWay {
  /** It is being deleted. */
  readonly ending?: boolean;
  /** The new object's name stands beside a generateName: its client is told to try again. */
  readonly generated?: boolean;
}

export function alreadyExists(
  resource: ResourceName,
  name: string,
  { ending = false, generated = false }: ObjectInTheWay = {},
): ApiStatusError {
  const why = generated ? ", the server was not able to generate a unique name for the object" : "";
  const message = `${ending ? "object is being deleted: " : ""}${qualified(resource)} "${name}" already exists${why}`;
  const retry = generated ? { retryAfterSeconds: 1 } : {};
  return new ApiStatusError(409, "AlreadyExists", message, { ...detailsOf(resource, name), ...retry });
}

export function conflict(resource: ResourceName, name: string, why: string): ApiStatusError {
  const message = `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${why}`;
  return new ApiStatusError(409, "Conflict", message, detailsOf(resource, name));
}

export const MODIFIED = "the object has been modified; please apply your changes to the latest version and try again";

export function forbidden(resource: ResourceName, name: string, why: string, causes?: JsonObject[]): ApiStatusError {
  const message = `${qualified(resource)} "${name}" is forbidden: ${why}`;
  const details = { ...detailsOf(resource, name), ...(causes === undefined ? {} : { causes }) };
  return new ApiStatusError(403, "Forbidden", message, details);
}

export function badRequest(message: string): ApiStatusError {
  return new ApiStatusError(400, "BadRequest", message);
}

/** The path is known, the method is not one of it. */
export function methodNotSupported(): ApiStatusError {
  const message = "the server does not allow this method on the requested resource";
  return new ApiStatusError(405, "MethodNotAllowed", message, {});
}

export function unsupportedMediaType(message: string): ApiStatusError {
  return new ApiStatusError(415, "UnsupportedMediaType", message);
}

/** The watch or the continue token is older than what the server remembers. */
export function expired(message: string): ApiStatusError {
  return new ApiStatusError(410, "Expired", message);
}

/** 504: a list or watch wants a state that is still to come. `retry`: the client is told to ask again in a second. */
export function tooLargeVersion(version: number, current: number, retry: boolean): ApiStatusError {
  const message = `Timeout: Too large resource version: ${version}, current: ${current}`;
  return new ApiStatusError(504, "Timeout", message, {
    causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
    ...(retry ? { retryAfterSeconds: 1 } : {}),
  });
}

/** 406: the object has no such form. */
export function notAcceptable(message: string): ApiStatusError {
  return new ApiStatusError(406, "NotAcceptable", message);
}

export function fieldErrorText(error: FieldError): string {
  const head = FIELD_ERRORS[error.type];
  const value = WITHOUT_VALUE.includes(error.type) || error.value === undefined ? "" : `: ${printed(error.value)}`;
  return `${head}${value}${error.detail === "" ? "" : `: ${error.detail}`}`;
}

function printed(value: unknown): string {
  if (typeof value === "string") return goQuote(value);
  return JSON.stringify(value)?.replace(/[<>&\u2028\u2029]/g, escaped) ?? String(value);
}

/** Go writes JSON so that it may stand in a page. */
const escaped = (letter: string) => `\\u${(letter.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`;

const ESCAPES: Readonly<Record<string, string>> = { "\u0007": "\\a", "\u000b": "\\v" };

/** A text in quotes as Go writes it. */
export function goQuote(text: string): string {
  const code = (letter: string) =>
    ESCAPES[letter] ?? `\\x${(letter.codePointAt(0) ?? 0).toString(16).padStart(2, "0")}`;
  return JSON.stringify(text).replace(/\\u00[0-9a-f]{2}|\u007f/g, (found) =>
    code(found.length === 1 ? found : String.fromCharCode(Number.parseInt(found.slice(2), 16))),
  );
}

/** 422 Invalid. `kind` with its group: `Deployment.apps`. */
export function invalid(
  kind: { readonly group: string; readonly kind: string },
  name: string,
  errors: readonly FieldError[],
): ApiStatusError {
  const title = kind.group === "" ? kind.kind : `${kind.kind}.${kind.group}`;
  const texts = [...new Set(errors.map((error) => `${error.field}: ${fieldErrorText(error)}`))];
  const body = texts.length === 1 ? (texts[0] ?? "") : `[${texts.join(", ")}]`;
  return new ApiStatusError(422, "Invalid", `${title} "${name}" is invalid: ${body}`, {
    ...(name === "" ? {} : { name }),
    ...(kind.group === "" ? {} : { group: kind.group }),
    ...(kind.kind === "" ? {} : { kind: kind.kind }),
    causes: errors.map((error) => ({
      reason: error.type,
      message: fieldErrorText(error),
      field: error.field,
    })),
  });
}
