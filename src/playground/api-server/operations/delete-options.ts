// What a DELETE asks for, from its body or, without one, from its query.
import type { JsonObject } from "../contract.ts";
import { numberAt, objectAt, stringAt } from "../json.ts";

export interface DeleteOptions {
  readonly gracePeriodSeconds: number | undefined;
  /** "" when the request says none. */
  readonly propagationPolicy: string;
  /** The older way to say it. */
  readonly orphanDependents: boolean | undefined;
  readonly preconditions: { readonly uid: string | undefined; readonly resourceVersion: string | undefined };
}

/** A body stands for the whole query. */
export function deleteOptions(body: JsonObject | undefined, query: URLSearchParams): DeleteOptions {
  const options = body === undefined ? ofQuery(query) : ofBody(body);
  const { gracePeriodSeconds } = options;
  return gracePeriodSeconds === undefined || gracePeriodSeconds >= 0 ? options : { ...options, gracePeriodSeconds: 1 };
}

function ofBody(body: JsonObject): DeleteOptions {
  const preconditions = objectAt(body, "preconditions");
  const text = (key: string) => (typeof preconditions[key] === "string" ? preconditions[key] : undefined);
  const orphan = body["orphanDependents"];
  return {
    gracePeriodSeconds: numberAt(body, "gracePeriodSeconds"),
    propagationPolicy: stringAt(body, "propagationPolicy"),
    orphanDependents: typeof orphan === "boolean" ? orphan : undefined,
    preconditions: { uid: text("uid"), resourceVersion: text("resourceVersion") },
  };
}

function ofQuery(query: URLSearchParams): DeleteOptions {
  const grace = query.get("gracePeriodSeconds") ?? "";
  const orphan = query.get("orphanDependents");
  return {
    gracePeriodSeconds: grace === "" ? undefined : Number(grace),
    propagationPolicy: query.get("propagationPolicy") ?? "",
    orphanDependents: orphan === null ? undefined : orphan !== "0" && orphan.toLowerCase() !== "false",
    preconditions: {
      uid: query.get("uid") || undefined,
      resourceVersion: query.get("resourceVersion") || undefined,
    },
  };
}
