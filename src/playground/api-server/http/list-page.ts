// One page of a list: which state of the store it shows, which objects of it, and where the next one begins.
import { badRequest, expired, tooLargeVersion } from "../api-errors.ts";
import { ApiStatusError, type JsonObject } from "../contract.ts";
import { exactValue } from "../field-selectors.ts";
import { type ResourceKind, storageKey } from "../resource-kind.ts";
import { narrowingLabel, selection } from "../selectors.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { listAt } from "../store/past-state.ts";
import type { StoredObject } from "../store/stored-object.ts";
import { isCached } from "./cached-kinds.ts";
import { type ContinueToken, continueToken, readContinueToken } from "./continue-token.ts";
import { type ListOptions, resourceVersionFault } from "./list-options.ts";
import type { ListMetadata } from "./output-form.ts";

export interface ListPage {
  readonly objects: readonly StoredObject[];
  readonly metadata: ListMetadata;
}

export interface ListRequest {
  readonly kind: ResourceKind;
  /** "" for all namespaces. */
  readonly namespace: string;
  readonly options: ListOptions;
}

/**
 * What the list shows and where it starts. A later page shows the state that the first one showed. Throws 400 for a bad
 * version or token, 410 for a state that is forgotten, 504 for one that is still to come.
 */
export function listPage(store: ObjectStore, { kind, namespace: asked, options }: ListRequest): ListPage {
  const byField = options.continue === "" ? exactValue(options.fields, "metadata.namespace") : undefined;
  const namespace = asked === "" && kind.namespaced ? (byField ?? "") : asked;
  const one = options.continue === "" ? exactValue(options.fields, "metadata.name") : undefined;
  const isSingle = one !== undefined && (!kind.namespaced || namespace !== "");
  const kept = isCached(kind);
  const wanted = isSingle ? stateOfOne(store, options, kept) : stateOfMany(store, options, kept);
  const place: Place = { kind, namespace };
  const all = objectsOf(store, place, wanted, options);
  const { start = "" } = wanted;
  const from = isSingle
    ? all.filter((object) => keyIn(place, object) === one)
    : start === ""
      ? all
      : all.filter((object) => keyIn(place, object) >= start);
  return select(from, { place, options, revision: wanted.revision ?? store.revision() });
}

interface Place {
  readonly kind: ResourceKind;
  readonly namespace: string;
}

/** Below the root of the list. */
const keyIn = ({ kind, namespace }: Place, object: StoredObject): string =>
  kind.namespaced && namespace === "" ? object.path : object.name;

interface WantedState {
  /** Undefined: the newest. */
  readonly revision: number | undefined;
  /** First key. */
  readonly start?: string;
}

function stateOfMany(store: ObjectStore, options: ListOptions, waits: boolean): WantedState {
  if (options.continue !== "") {
    const token = readContinueToken(options.continue);
    if (options.resourceVersion !== "" && options.resourceVersion !== "0")
      throw badRequest("specifying resource version is not allowed when using continue");
    return { start: token.start, revision: token.revision < 0 ? undefined : reached(store, token.revision, waits) };
  }
  const version = versionOf(options);
  const isExact =
    options.resourceVersionMatch === "Exact" ||
    (options.resourceVersionMatch === "" && options.limit > 0 && version > 0);
  reached(store, version, waits);
  return { revision: isExact ? version : undefined };
}

/** A list that can only hold one object never pages, and shows an older state only when that very one is asked for. */
function stateOfOne(store: ObjectStore, options: ListOptions, kept: boolean): WantedState {
  const version = versionOf(options);
  const isExact = options.resourceVersionMatch === "Exact";
  const waits = kept && !isExact && !(options.resourceVersionMatch === "" && options.limit > 0);
  reached(store, version, waits);
  return { revision: isExact ? version : undefined };
}

function versionOf({ resourceVersion }: ListOptions): number {
  const fault = resourceVersionFault(resourceVersion);
  if (fault !== undefined) throw badRequest(`invalid resource version: ${fault}`);
  return Number(resourceVersion);
}

/** `retry`: whether the client is told when to ask again. */
function reached(store: ObjectStore, version: number, retry: boolean): number {
  if (version > store.revision()) throw tooLargeVersion(version, store.revision(), retry);
  return version;
}

/** All objects of that state, or those alone that the labels may select where they are less than a page. */
function objectsOf(
  store: ObjectStore,
  { kind, namespace }: Place,
  { revision, start }: WantedState,
  options: ListOptions,
): readonly StoredObject[] {
  const key = storageKey(kind);
  const within = namespace === "" ? undefined : namespace;
  if (revision === undefined) {
    const label = narrowingLabel(options.labels);
    const narrowed = label === undefined ? undefined : store.stored(key, within, label);
    // Where they might fill a page, it counts what follows that no selector takes.
    return narrowed !== undefined && narrowed.length < pageSize(kind, options) ? narrowed : store.stored(key, within);
  }
  const objects = listAt(store, { key, namespace: within, revision });
  if (objects !== undefined) return objects;
  if (start === undefined) throw expired("The resourceVersion for the provided list is too old.");
  throw new ExpiredToken({ revision: -1, start });
}

const INCONSISTENT =
  "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";

/** Tells where to go on, in the state of then. */
class ExpiredToken extends ApiStatusError {
  readonly #token: ContinueToken;

  constructor(token: ContinueToken) {
    super(410, "Expired", INCONSISTENT);
    this.#token = token;
  }

  override status(): JsonObject {
    return { ...super.status(), metadata: { continue: continueToken(this.#token) } };
  }
}

interface Selecting {
  readonly place: Place;
  readonly options: ListOptions;
  readonly revision: number;
}

const ALL = Number.POSITIVE_INFINITY;

const pageSize = (kind: ResourceKind, { resourceVersion, limit }: ListOptions) =>
  limit <= 0 || (resourceVersion === "0" && isCached(kind)) ? ALL : limit;

/** Whether objects follow is known, whether the selectors take one of them is not. */
function select(objects: readonly StoredObject[], { place, options, revision }: Selecting): ListPage {
  const { isEmpty, matches } = selection(place.kind, options);
  const limit = pageSize(place.kind, options);
  const taken: StoredObject[] = [];
  const resourceVersion = String(revision);
  for (const [index, object] of objects.entries()) {
    if (matches(object)) taken.push(object);
    if (taken.length < limit) continue;
    if (index === objects.length - 1) break;
    const start = `${keyIn(place, object)}\0`;
    const remaining = isEmpty ? { remainingItemCount: objects.length - limit } : {};
    return {
      objects: taken,
      metadata: { resourceVersion, continue: continueToken({ revision, start }), ...remaining },
    };
  }
  return { objects: taken, metadata: { resourceVersion } };
}
