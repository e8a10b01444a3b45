// Which form of an answer a client accepts: the rules of a real API server for the Accept header.
import { ApiStatusError } from "../contract.ts";

/** Forms in which objects are written, in the order of preference. */
export const WRITTEN = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"] as const;
export type Written = (typeof WRITTEN)[number];

export interface Clause {
  /** `type/subtype`; either may be `*`. */
  readonly type: string;
  readonly quality: number;
  readonly parameters: ReadonlyMap<string, string>;
}

/** The clauses of an Accept header, best first. What is no media type is left out. */
export function acceptClauses(accept: string): Clause[] {
  const clauses = accept.split(",").flatMap((text) => {
    const [name = "", ...rest] = text.split(";").map((part) => part.trim());
    const type = name === "*" ? "*/*" : name;
    if (!/^[^/]+\/[^/]+$/.test(type)) return [];
    const parameters = new Map(
      rest.map((pair) => [pair.split("=")[0]?.trim() ?? "", pair.split("=")[1]?.trim() ?? ""]),
    );
    const quality = Number(parameters.get("q") ?? "1");
    parameters.delete("q");
    return [{ type, quality: Number.isNaN(quality) ? 1 : quality, parameters }];
  });
  return clauses.sort((a, b) => b.quality - a.quality || wildness(a) - wildness(b));
}

const wildness = ({ type }: Clause) => (type === "*/*" ? 2 : type.endsWith("/*") ? 1 : 0);

/** A form that a client accepts. */
export interface Accepted {
  readonly written: Written;
  /** What the object shall become: `as`, `g` and `v` of the clause. */
  readonly as: { readonly kind: string; readonly group: string; readonly version: string } | undefined;
}

/** Whether a form of objects other than their own is served. */
export type Transforms = (written: Written, as: NonNullable<Accepted["as"]>) => boolean;

const NO_TRANSFORMS: Transforms = () => false;

/** The first form that the client accepts and the server has; undefined when there is none. */
export function negotiate(accept: string, transforms = NO_TRANSFORMS): Accepted | undefined {
  if (accept === "") return { written: WRITTEN[0], as: undefined };
  for (const { type, parameters } of acceptClauses(accept)) {
    for (const written of WRITTEN) {
      if (type !== written && type !== "*/*" && type !== "application/*") continue;
      const accepted = acceptedBy(written, parameters, transforms);
      if (accepted !== undefined) return accepted;
    }
  }
  return undefined;
}

function acceptedBy(
  written: Written,
  parameters: ReadonlyMap<string, string>,
  transforms: Transforms,
): Accepted | undefined {
  const stream = parameters.get("stream") ?? "";
  if (stream !== "" && (stream !== "watch" || written === "application/yaml")) return undefined;
  const version = parameters.get("sv") ?? "";
  // Objects may be asked for in the words of a version of the API's own; documents may not.
  if (version !== "" && (version !== "v1" || transforms === NO_TRANSFORMS)) return undefined;
  if (!["as", "g", "v"].some((name) => parameters.has(name))) return { written, as: undefined };
  const as = {
    kind: parameters.get("as") ?? "",
    group: parameters.get("g") ?? "",
    version: parameters.get("v") ?? "",
  };
  return transforms(written, as) ? { written, as } : undefined;
}

/** 406 of a server that has nothing that the client accepts. */
export function nothingAccepted(types: readonly string[] = WRITTEN): ApiStatusError {
  const message = `only the following media types are accepted: ${types.join(", ")}`;
  return new ApiStatusError(406, "NotAcceptable", message);
}
