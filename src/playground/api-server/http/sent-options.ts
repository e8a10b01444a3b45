// The options of a write as its client sent them: what admission webhooks are told.
import type { JsonObject } from "../contract.ts";

/** CreateOptions or UpdateOptions. */
export function writeOptions(query: URLSearchParams): JsonObject {
  return { ...dryRun(query), ...texts(query, ["fieldManager", "fieldValidation"]) };
}

/** DeleteOptions: the body where there is one, else the query. */
export function deletionOptions(body: JsonObject | undefined, query: URLSearchParams): JsonObject {
  if (body !== undefined) {
    const { kind: _, apiVersion: _v, ...options } = body;
    return options;
  }
  const grace = query.get("gracePeriodSeconds");
  const orphan = query.get("orphanDependents");
  return {
    ...(grace === null ? {} : { gracePeriodSeconds: Number(grace) }),
    ...(orphan === null ? {} : { orphanDependents: orphan === "true" || orphan === "1" }),
    ...texts(query, ["propagationPolicy"]),
    ...dryRun(query),
  };
}

function dryRun(query: URLSearchParams): JsonObject {
  const stages = query.getAll("dryRun");
  return stages.length === 0 ? {} : { dryRun: stages };
}

function texts(query: URLSearchParams, names: readonly string[]): JsonObject {
  return Object.fromEntries(names.flatMap((name) => (query.get(name) ? [[name, query.get(name)]] : [])));
}
