import { badRequest } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { stringAt } from "../json.ts";
import type { ListMetadata } from "./output-form.ts";

export interface ListPage {
  readonly objects: readonly JsonObject[];
  readonly metadata: ListMetadata;
}

const keyOf = (object: JsonObject) =>
  `${stringAt(object, "metadata", "namespace")}/${stringAt(object, "metadata", "name")}`;

/**
 * One page of a sorted list by `limit` and `continue`. A later page shows the state of its own time, with the first
 * page's resource version, so that a watch from there misses nothing.
 */
export function listPage(sorted: readonly JsonObject[], query: URLSearchParams, revision: number): ListPage {
  const limit = Number(query.get("limit") ?? 0);
  const token = query.get("continue") ?? "";
  const from = token === "" ? undefined : readToken(token);
  const rest = from === undefined ? sorted : sorted.filter((object) => keyOf(object) > from.after);
  const resourceVersion = String(from?.revision ?? revision);
  const last = rest[limit - 1];
  if (!(limit > 0) || rest.length <= limit || last === undefined)
    return { objects: rest, metadata: { resourceVersion } };
  const next = Buffer.from(JSON.stringify({ revision: Number(resourceVersion), after: keyOf(last) })).toString(
    "base64url",
  );
  return {
    objects: rest.slice(0, limit),
    metadata: { resourceVersion, continue: next, remainingItemCount: rest.length - limit },
  };
}

function readToken(token: string): { revision: number; after: string } {
  try {
    const { revision, after } = JSON.parse(Buffer.from(token, "base64url").toString()) as Record<string, unknown>;
    if (typeof revision === "number" && typeof after === "string") return { revision, after };
  } catch {
    // Falls through to the refusal below.
  }
  throw badRequest("continue key is not valid: it was not given by this server");
}
