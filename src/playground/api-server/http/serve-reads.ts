// The verbs that change nothing: get, list, watch.
import { badRequest, notFound } from "../api-errors.ts";
import { exactValue } from "../field-selectors.ts";
import { storageKey } from "../resource-kind.ts";
import type { StoredObject } from "../store/stored-object.ts";
import { awaitRevision, isStillToCome } from "./await-revision.ts";
import { type Call, sendObject, sendPage } from "./call.ts";
import { type ListOptions, readListOptions } from "./list-options.ts";
import { type ListPage, listPage } from "./list-page.ts";
import { isTrue } from "./request-info.ts";
import { serveWatch } from "./watch-stream.ts";

function currentObject({ server, kind, target }: Call): StoredObject {
  const object = server.parts.store.find(storageKey(kind), target.namespace, target.name);
  if (object === undefined) throw notFound(kind, target.name);
  return object;
}

export function serveGet(call: Call): Promise<void> {
  return sendObject(call, currentObject(call));
}

/** A name in the path is a field selector of its own. */
export function listOptions({ kind, info, query, target }: Call): ListOptions {
  // Old paths watch without saying so in the query: their options are those of a list.
  const verb = info.verb === "watch" && !isTrue(query.get("watch")) ? "list" : info.verb;
  const options = readListOptions(kind, verb, query);
  if (target.name === "") return options;
  if (options.fields.length === 0)
    return { ...options, fields: [{ field: "metadata.name", value: target.name, equal: true }] };
  if (exactValue(options.fields, "metadata.name") !== target.name)
    throw badRequest("fieldSelector metadata.name doesn't match requested name");
  return options;
}

export function listed({ server, kind, target }: Call, options: ListOptions): ListPage {
  return listPage(server.parts.store, { kind, namespace: target.namespace, options });
}

export async function serveList(call: Call): Promise<void> {
  const options = listOptions(call);
  return await sendPage(call, await pageInTime(call, options));
}

async function pageInTime(call: Call, options: ListOptions): Promise<ListPage> {
  try {
    return listed(call, options);
  } catch (thrown) {
    if (!isStillToCome(thrown)) throw thrown;
    await awaitRevision(call.server.parts.store, Number(options.resourceVersion), call.server.signal);
    return listed(call, options);
  }
}

export function serveWatchVerb(call: Call): Promise<void> {
  const { server, kind, target, form } = call;
  const { convert } = server.parts;
  const watch = { kind, namespace: target.namespace, form, convert, options: listOptions(call) };
  return serveWatch(server.parts.store, watch, call, server.signal);
}
