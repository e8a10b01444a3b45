// The verbs that change nothing: get, list, watch.
import { notFound } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { stringAt } from "../json.ts";
import { storageKey } from "../resource-kind.ts";
import { fieldSelector, labelSelector, type Predicate } from "../selectors.ts";
import { type Call, reply } from "./call.ts";
import { listPage } from "./list-page.ts";
import { listPieces } from "./output-form.ts";
import { sendPieces } from "./respond.ts";
import { serveWatch } from "./watch-stream.ts";

function currentObject({ server, kind, target }: Call): JsonObject {
  const object = server.parts.store.get(storageKey(kind), target.namespace, target.name);
  if (object === undefined) throw notFound(kind, target.name);
  return object;
}

export function serveGet(call: Call): void {
  reply(call, currentObject(call));
}

function selection({ kind, query, target }: Call): Predicate {
  const labels = labelSelector(query.get("labelSelector") ?? "");
  const fields = fieldSelector(query.get("fieldSelector") ?? "", storageKey(kind), kind.custom?.selectableFields);
  const { name } = target;
  return (object) => labels(object) && fields(object) && (name === "" || stringAt(object, "metadata", "name") === name);
}

/** The objects that the request's selectors, name and namespace mean. */
export function selected(call: Call): JsonObject[] {
  const { server, kind, target } = call;
  const namespace = target.namespace === "" ? undefined : target.namespace;
  return server.parts.store.list(storageKey(kind), namespace).filter(selection(call));
}

export function serveList(call: Call): Promise<void> {
  const page = listPage(selected(call), call.query, call.server.parts.store.revision());
  return sendPieces(call.response, listPieces(call.kind, call.form, page.objects, page.metadata));
}

export function serveWatchVerb(call: Call): Promise<void> {
  const { server, kind, target, form, query } = call;
  const watch = { kind, namespace: target.namespace, matches: selection(call), form, query };
  return serveWatch(server.parts.store, watch, call, server.signal);
}
