// Values of Kubernetes' own CEL types: quantities, URLs, addresses, optional values. CEL sees maps with a mark that no
// JSON object has; equal values have equal maps.
import { type CelInput, type CelMap, celMap, isCelMap } from "@bufbuild/cel";

const MARK = "\u0000type";

export type OpaqueType =
  | "quantity"
  | "url"
  | "ip"
  | "cidr"
  | "optional"
  | "format"
  | "semver"
  | "authorizer"
  | "groupCheck"
  | "resourceCheck"
  | "pathCheck"
  | "decision";

export function opaque(type: OpaqueType, fields: Readonly<Record<string, CelInput>>): CelMap {
  return celMap(new Map<string, CelInput>([[MARK, type], ...Object.entries(fields)]));
}

/** The value when it is of the type. Throws what CEL calls it otherwise. */
export function opened(value: unknown, type: OpaqueType): CelMap {
  if (isCelMap(value) && value.get(MARK) === type) return value;
  throw new Error("no such overload");
}

export const NONE = opaque("optional", {});

export function some(value: CelInput): CelMap {
  return opaque("optional", { value });
}

/** Whether a value is of one of Kubernetes' own types. */
export const isOpaque = (value: unknown, type: OpaqueType): value is CelMap =>
  isCelMap(value) && value.get(MARK) === type;

/** Takes a text out of an opaque value. */
export function textOf(value: CelMap, field: string): string {
  const found = value.get(field);
  return typeof found === "string" ? found : "";
}
