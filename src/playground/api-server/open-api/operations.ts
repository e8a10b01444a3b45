// What can be done at which path, for OpenAPI v2 and v3 alike. Clients read from it whether a kind takes `dryRun` and
// `fieldValidation`, and by which path a resource is reached.
import type { ResourceKind, Subresource } from "../resource-kind.ts";
import { strategyOf } from "../strategy/strategies.ts";
import { customName } from "./custom-schemas.ts";
import { operationId, operationTag } from "./operation-names.ts";
import { connectionSentence, operationSentence } from "./operation-sentences.ts";
import { BODY_TYPES, JSON_AND_YAML, LIST, type VerbRow, verbRows } from "./verb-rows.ts";

const META = "io.k8s.apimachinery.pkg.apis.meta.v1.";

export type Method = "get" | "put" | "post" | "delete" | "patch" | "options" | "head";

export interface Operation {
  readonly method: Method;
  readonly id: string;
  readonly tag: string;
  readonly sentence: string;
  /** Kind of what a name in the path is the name of. */
  readonly named: string;
  /** Which texts on parameters are its own: see descriptions.ts. */
  readonly texts: string;
  /** As in `x-kubernetes-action`; documents of discovery have none. */
  readonly action?: string;
  readonly gvk?: { readonly group: string; readonly version: string; readonly kind: string };
  /** Names in the query, but for `pretty`. */
  readonly query: readonly string[];
  /** Whether it takes `pretty`, as all but connections do. */
  readonly pretty: boolean;
  readonly body?: { readonly definition: string; readonly types: readonly string[]; readonly required: boolean };
  /** Definition of what it answers; undefined: text. */
  readonly answer: string | undefined;
  readonly answerTypes: readonly string[];
  /** Media types of what is sent, as version 2 has them whether there is a body or not. */
  readonly takes: readonly string[];
  readonly codes: readonly number[];
}

export interface PathOperations {
  readonly path: string;
  /** `name`, `namespace` and `path`, where the path has them. */
  readonly places: readonly string[];
  readonly operations: readonly Operation[];
}

/** `api/v1`, `apis/apps/v1` */
export function groupVersionPath({ group, version }: { readonly group: string; readonly version: string }): string {
  return group === "" ? `api/${version}` : `apis/${group}/${version}`;
}

export function definitionOf(kind: ResourceKind): string {
  return kind.definition ?? customName(kind);
}

export function listDefinitionOf(kind: ResourceKind): string {
  return kind.definition === undefined ? customName({ ...kind, kind: kind.listKind }) : `${kind.definition}List`;
}

/** All paths of a kind: its objects, their subresources, and the old paths of watches. */
export function operationsOf(kind: ResourceKind): PathOperations[] {
  const root = `/${groupVersionPath(kind)}`;
  const scope = kind.namespaced ? ["namespace"] : [];
  const inScope = `${kind.namespaced ? "/namespaces/{namespace}" : ""}/${kind.plural}`;
  const collection = root + inScope;
  const subject = { kind, definition: definitionOf(kind), gvk: gvkOf(kind), sub: "" };
  const everywhere = kind.namespaced && kind.verbs.includes("list");
  const paths = [
    ...(everywhere ? [{ path: `${root}/${kind.plural}`, places: [], operations: [listEverywhere(subject)] }] : []),
    { path: collection, places: scope, operations: rowsOf("collection", kind.verbs, subject) },
    { path: `${collection}/{name}`, places: ["name", ...scope], operations: rowsOf("item", kind.verbs, subject) },
    ...kind.subresourceRows.flatMap((row) => subresourcePaths(kind, row, `${collection}/{name}`)),
    ...watchPaths(kind, `${root}/watch`, inScope),
  ];
  return paths.filter(({ operations }) => operations.length > 0);
}

const gvkOf = ({ group, version, kind }: ResourceKind) => ({ group, version, kind });

interface Subject {
  readonly kind: ResourceKind;
  readonly definition: string;
  readonly gvk: NonNullable<Operation["gvk"]>;
  /** Name of the subresource. */
  readonly sub: string;
}

function rowsOf(place: "collection" | "item", verbs: readonly string[], subject: Subject): Operation[] {
  return verbRows(subject.kind.custom !== undefined)
    .filter((row) => row.place === place && verbs.includes(row.verb))
    .map((row) => operationOf(row, subject));
}

function operationOf(row: VerbRow, subject: Subject): Operation {
  const { kind, definition, gvk, sub } = subject;
  const bodyDefinition = row.body === "itself" ? definition : row.body;
  return {
    method: row.method,
    id: operationId(kind, { word: row.word, sub: titled(sub) }),
    tag: operationTag(kind),
    sentence: operationSentence(row.action, { kind: kind.kind, sub, watchable: isWatchable(kind) }),
    named: gvk.kind,
    texts: row.action,
    action: row.action,
    gvk,
    query: row.query,
    pretty: true,
    ...(bodyDefinition === undefined
      ? {}
      : {
          body: {
            definition: bodyDefinition,
            types: row.bodyTypes ?? BODY_TYPES,
            required: row.verb !== "delete" && row.verb !== "deletecollection",
          },
        }),
    answer: answerOf(row, subject),
    answerTypes: row.answerTypes,
    takes: row.bodyTypes ?? (kind.custom === undefined ? BODY_TYPES : JSON_AND_YAML),
    codes: row.codes,
  };
}

/** Lists of custom resources do not say that they may be watched. */
const isWatchable = ({ custom, verbs }: ResourceKind) => custom === undefined && verbs.includes("watch");

function answerOf({ verb, answer }: VerbRow, { kind, definition }: Subject): string {
  if (answer === "list") return listDefinitionOf(kind);
  // Namespaces are shown when they are deleted, but nothing says so.
  const shown = strategyOf(kind).returnsDeleted === true && kind.plural !== "namespaces";
  if (verb === "delete" && shown) return definition;
  return answer === "itself" ? definition : answer;
}

const titled = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

function listEverywhere(subject: Subject): Operation {
  const row = verbRows(subject.kind.custom !== undefined).find(({ verb }) => verb === "list");
  if (row === undefined) throw new Error("no row for lists");
  const id = operationId({ ...subject.kind, namespaced: false }, { word: "list", suffix: "ForAllNamespaces" });
  return { ...operationOf(row, subject), id };
}

/** Connections lead into a pod or node; of those that carry a path there is one with it. */
function subresourcePaths(kind: ResourceKind, row: Subresource, item: string): PathOperations[] {
  const path = `${item}/${row.name}`;
  const places = ["name", ...(kind.namespaced ? ["namespace"] : [])];
  const gvk = {
    group: row.group ?? kind.group,
    version: row.version ?? kind.version,
    kind: row.kind,
  };
  if (row.kind.endsWith("Options")) {
    const operations = (suffix: string) => connections(kind, row, { gvk, suffix });
    const deeper = { path: `${path}/{path}`, places: [...places, "path"], operations: operations("WithPath") };
    return [{ path, places, operations: operations("") }, ...(row.name === "proxy" ? [deeper] : [])];
  }
  const definition = row.kind === kind.kind ? definitionOf(kind) : siblingDefinition(kind, gvk);
  const told = kind.custom === undefined ? gvk : gvkOf(kind);
  const operations = [
    ...rowsOf("item", row.verbs, { kind, definition, gvk: told, sub: row.name }),
    ...rowsOf("collection", row.verbs, { kind, definition, gvk: told, sub: row.name }),
  ];
  return [{ path, places, operations: row.name === "log" ? operations.map(logOperation) : operations }];
}

const CONNECTION_QUERY: Readonly<Record<string, readonly string[]>> = {
  attach: ["container", "stderr", "stdin", "stdout", "tty"],
  exec: ["command", "container", "stderr", "stdin", "stdout", "tty"],
  portforward: ["ports"],
  proxy: ["path"],
};

const CONNECTION_METHODS: readonly { readonly method: Method; readonly verb: string }[] = [
  { method: "get", verb: "get" },
  { method: "put", verb: "update" },
  { method: "post", verb: "create" },
  { method: "delete", verb: "delete" },
  { method: "options", verb: "update" },
  { method: "head", verb: "update" },
  { method: "patch", verb: "patch" },
];

function connections(
  kind: ResourceKind,
  row: Subresource,
  { gvk, suffix }: { readonly gvk: NonNullable<Operation["gvk"]>; readonly suffix: string },
): Operation[] {
  return CONNECTION_METHODS.filter(({ verb }) => row.verbs.includes(verb)).map(({ method }) => ({
    method,
    id: operationId(kind, { word: "connect", how: titled(method), sub: titled(row.name), suffix }),
    tag: operationTag(kind),
    sentence: connectionSentence(method, row.name, kind.kind),
    named: gvk.kind,
    texts: row.name === "proxy" ? `proxy.${kind.kind}` : row.name,
    action: "connect",
    gvk,
    query: CONNECTION_QUERY[row.name] ?? [],
    pretty: false,
    answer: undefined,
    answerTypes: ["*/*"],
    takes: BODY_TYPES,
    codes: [200],
  }));
}

const LOG_QUERY = [
  ...["container", "follow", "insecureSkipTLSVerifyBackend", "limitBytes", "previous"],
  ...["sinceSeconds", "stream", "tailLines", "timestamps"],
];

const logOperation = (operation: Operation): Operation => ({
  ...operation,
  query: LOG_QUERY,
  texts: "log",
  answer: undefined,
  answerTypes: ["text/plain", ...operation.answerTypes],
});

/** What a watch of built-in kinds sends; nothing says so of custom resources. */
export const WATCH_EVENT = `${META}WatchEvent`;

function watchPaths(kind: ResourceKind, root: string, inScope: string): PathOperations[] {
  if (kind.custom !== undefined || !kind.verbs.includes("watch")) return [];
  const list = verbRows(false).find(({ verb }) => verb === "list");
  const watch = (action: string, suffix: string, namespaced = kind.namespaced): Operation => ({
    method: "get",
    id: operationId({ ...kind, namespaced }, { word: "watch", suffix }),
    tag: operationTag(kind),
    sentence: operationSentence(action, { kind: kind.kind, sub: "", watchable: true }),
    named: kind.kind,
    texts: action,
    action,
    gvk: gvkOf(kind),
    query: LIST,
    pretty: true,
    answer: WATCH_EVENT,
    answerTypes: list?.answerTypes ?? [],
    takes: BODY_TYPES,
    codes: [200],
  });
  const scope = kind.namespaced ? ["namespace"] : [];
  const everywhere = {
    path: `${root}/${kind.plural}`,
    places: [],
    operations: [watch("watchlist", "ListForAllNamespaces", false)],
  };
  return [
    ...(kind.namespaced ? [everywhere] : []),
    { path: root + inScope, places: scope, operations: [watch("watchlist", "List")] },
    { path: `${root}${inScope}/{name}`, places: ["name", ...scope], operations: [watch("watch", "")] },
  ];
}

/** `io.k8s.api.policy.v1.Eviction` */
function siblingDefinition(kind: ResourceKind, { group, version, kind: name }: NonNullable<Operation["gvk"]>): string {
  const own = group === kind.group && kind.definition !== undefined;
  if (own) return `${kind.definition.slice(0, kind.definition.lastIndexOf("."))}.${name}`;
  return `io.k8s.api.${group.split(".")[0]}.${version}.${name}`;
}
