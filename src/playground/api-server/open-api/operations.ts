// What can be done at which path, for OpenAPI v2 and v3 alike. Clients read from it whether a kind takes `dryRun` and
// `fieldValidation`, and by which path a resource is reached.
import type { ResourceKind } from "../resource-kind.ts";
import { customName } from "./custom-schemas.ts";

const META = "io.k8s.apimachinery.pkg.apis.meta.v1.";

/** What a watch of built-in kinds sends; nothing says so of custom resources. */
export const WATCH_EVENT = `${META}WatchEvent`;

export interface Operation {
  readonly method: "get" | "put" | "post" | "delete" | "patch";
  /** As in `x-kubernetes-action`. */
  readonly action: string;
  readonly gvk: { readonly group: string; readonly version: string; readonly kind: string };
  /** Names in the query. */
  readonly query: readonly string[];
  /** Definition of the body that it takes. */
  readonly body?: string;
  /** Definition of what it answers. */
  readonly answer: string;
}

export interface PathOperations {
  readonly path: string;
  /** `name` and `namespace`, where the path has them. */
  readonly places: readonly string[];
  readonly operations: readonly Operation[];
}

const LIST = [
  ...["allowWatchBookmarks", "continue", "fieldSelector", "labelSelector", "limit", "resourceVersion"],
  ...["resourceVersionMatch", "sendInitialEvents", "timeoutSeconds", "watch"],
];
const WRITE = ["dryRun", "fieldManager", "fieldValidation"];
const REMOVE = [
  ...["dryRun", "gracePeriodSeconds", "ignoreStoreReadErrorWithClusterBreakingPotential"],
  ...["orphanDependents", "propagationPolicy"],
];

/** Types of parameters that are no text. */
export const PARAMETER_TYPES: Readonly<Record<string, string>> = {
  allowWatchBookmarks: "boolean",
  force: "boolean",
  gracePeriodSeconds: "integer",
  ignoreStoreReadErrorWithClusterBreakingPotential: "boolean",
  limit: "integer",
  orphanDependents: "boolean",
  sendInitialEvents: "boolean",
  timeoutSeconds: "integer",
  watch: "boolean",
};

interface VerbRow {
  readonly verb: string;
  readonly method: Operation["method"];
  readonly action: string;
  readonly query: readonly string[];
  readonly body?: "itself" | string;
  readonly answer: "itself" | "list" | string;
}

const COLLECTION: readonly VerbRow[] = [
  { verb: "list", method: "get", action: "list", query: LIST, answer: "list" },
  { verb: "create", method: "post", action: "post", query: WRITE, body: "itself", answer: "itself" },
  {
    verb: "deletecollection",
    method: "delete",
    action: "deletecollection",
    query: [...new Set([...LIST.filter((name) => !/watch/i.test(name)), ...REMOVE])].sort(),
    body: `${META}DeleteOptions`,
    answer: `${META}Status`,
  },
];
const ITEM: readonly VerbRow[] = [
  { verb: "get", method: "get", action: "get", query: [], answer: "itself" },
  { verb: "create", method: "post", action: "post", query: WRITE, body: "itself", answer: "itself" },
  { verb: "update", method: "put", action: "put", query: WRITE, body: "itself", answer: "itself" },
  {
    verb: "patch",
    method: "patch",
    action: "patch",
    query: [...WRITE, "force"],
    body: `${META}Patch`,
    answer: "itself",
  },
  {
    verb: "delete",
    method: "delete",
    action: "delete",
    query: REMOVE,
    body: `${META}DeleteOptions`,
    answer: `${META}Status`,
  },
];

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

/** All paths of a kind, those of its subresources too, but for connections such as `exec`. */
export function operationsOf(kind: ResourceKind): PathOperations[] {
  const root = `/${groupVersionPath(kind)}`;
  const scope = kind.namespaced ? ["namespace"] : [];
  const collection = `${root}${kind.namespaced ? "/namespaces/{namespace}" : ""}/${kind.plural}`;
  const own = {
    kind,
    definition: definitionOf(kind),
    gvk: { group: kind.group, version: kind.version, kind: kind.kind },
  };
  const [list, ...changes] = rowsOf(COLLECTION, kind.verbs, own);
  const everywhere =
    kind.namespaced && list?.action === "list"
      ? [{ path: `${root}/${kind.plural}`, places: [], operations: [list] }]
      : [];
  const item = rowsOf(
    ITEM.filter(({ verb }) => verb !== "create"),
    kind.verbs,
    own,
  );
  const paths = [
    ...everywhere,
    { path: collection, places: scope, operations: list === undefined ? [] : [list, ...changes] },
    { path: `${collection}/{name}`, places: ["name", ...scope], operations: item },
    ...subresourcesOf(kind, `${collection}/{name}`, ["name", ...scope]),
  ];
  return paths.filter(({ operations }) => operations.length > 0);
}

function subresourcesOf(kind: ResourceKind, item: string, places: readonly string[]): PathOperations[] {
  return kind.subresourceRows
    .filter((row) => !row.kind.endsWith("Options"))
    .map((row) => {
      const gvk = { group: row.group ?? kind.group, version: row.version ?? kind.version, kind: row.kind };
      const definition = row.kind === kind.kind ? definitionOf(kind) : siblingDefinition(kind, gvk);
      return { path: `${item}/${row.name}`, places, operations: rowsOf(ITEM, row.verbs, { kind, definition, gvk }) };
    });
}

/** `io.k8s.api.policy.v1.Eviction` */
function siblingDefinition(kind: ResourceKind, { group, version, kind: name }: Operation["gvk"]): string {
  const own = group === kind.group && kind.definition !== undefined;
  if (own) return `${kind.definition.slice(0, kind.definition.lastIndexOf("."))}.${name}`;
  return `io.k8s.api.${group.split(".")[0]}.${version}.${name}`;
}

interface Subject {
  readonly kind: ResourceKind;
  readonly definition: string;
  readonly gvk: Operation["gvk"];
}

function rowsOf(rows: readonly VerbRow[], verbs: readonly string[], subject: Subject): Operation[] {
  const named = (what: string) => {
    if (what === "itself") return subject.definition;
    return what === "list" ? listDefinitionOf(subject.kind) : what;
  };
  return rows
    .filter(({ verb }) => verbs.includes(verb))
    .map(({ method, action, query, body, answer }) => ({
      method,
      action,
      gvk: subject.gvk,
      query,
      ...(body === undefined ? {} : { body: named(body) }),
      answer: named(answer),
    }));
}
