// Makers of the reasons why an object is refused, one for each of Kubernetes' kinds of reasons.
import type { FieldError } from "../api-errors.ts";

export const required = (field: string, detail = ""): FieldError => ({ field, type: "FieldValueRequired", detail });

/** `value` is shown as JSON; null where the object has nothing at all. */
export const invalid = (field: string, value: unknown, detail: string): FieldError => ({
  field,
  type: "FieldValueInvalid",
  value: value === undefined ? null : value,
  detail,
});

/** A refused value that is not shown. */
export const refused = (field: string, detail: string): FieldError => ({ field, type: "FieldValueInvalid", detail });

export const forbidden = (field: string, detail: string): FieldError => ({
  field,
  type: "FieldValueForbidden",
  detail,
});

export const duplicate = (field: string, value: unknown, detail = ""): FieldError => ({
  field,
  type: "FieldValueDuplicate",
  value,
  detail,
});

export const notFound = (field: string, value: unknown, detail = ""): FieldError => ({
  field,
  type: "FieldValueNotFound",
  value,
  detail,
});

export const notSupported = (field: string, value: unknown, supported: readonly string[]): FieldError => ({
  field,
  type: "FieldValueNotSupported",
  value: value === undefined ? null : value,
  detail: supported.length === 0 ? "" : `supported values: ${supported.map((text) => JSON.stringify(text)).join(", ")}`,
});

export const tooLong = (field: string, most: number): FieldError => ({
  field,
  type: "FieldValueTooLong",
  detail: `may not be more than ${most} ${most === 1 ? "byte" : "bytes"}`,
});

export const tooMany = (field: string, count: number, most: number): FieldError => ({
  field,
  type: "FieldValueTooMany",
  value: count,
  detail: `must have at most ${most} ${most === 1 ? "item" : "items"}`,
});

export const NOT_NEGATIVE = "must be greater than or equal to 0";
export const IMMUTABLE = "field is immutable";

/** One Invalid for each message about the same value. */
export function invalids(field: string, value: unknown, messages: readonly string[]): FieldError[] {
  return messages.map((message) => invalid(field, value, message));
}

export function nonnegative(field: string, value: unknown): FieldError[] {
  return typeof value === "number" && value < 0 ? [invalid(field, value, NOT_NEGATIVE)] : [];
}

/** Fields of one object that must not be negative when they are there. */
export function nonnegatives(
  path: string,
  object: Readonly<Record<string, unknown>>,
  fields: readonly string[],
): FieldError[] {
  return fields.flatMap((field) => nonnegative(`${path}.${field}`, object[field]));
}

/** A text that must be one of a few; absent or empty is Required. */
export function oneOf(field: string, value: string, supported: readonly string[]): FieldError[] {
  if (value === "") return [required(field)];
  return supported.includes(value) ? [] : [notSupported(field, value, supported)];
}
