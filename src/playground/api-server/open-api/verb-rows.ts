// What each verb takes and answers, of built-in kinds and of custom resources, which differ a little.
const META = "io.k8s.apimachinery.pkg.apis.meta.v1.";

export interface VerbRow {
  readonly place: "collection" | "item";
  readonly verb: string;
  /** With which the operation's name begins. */
  readonly word: string;
  readonly method: "get" | "put" | "post" | "delete" | "patch";
  readonly action: string;
  readonly query: readonly string[];
  /** A definition, or the object itself. */
  readonly body?: "itself" | string;
  readonly bodyTypes?: readonly string[];
  readonly answer: "itself" | "list" | string;
  readonly answerTypes: readonly string[];
  readonly codes: readonly number[];
}

export const LIST = [
  ...["allowWatchBookmarks", "continue", "fieldSelector", "labelSelector", "limit", "resourceVersion"],
  ...["resourceVersionMatch", "sendInitialEvents", "timeoutSeconds", "watch"],
];
const WRITE = ["dryRun", "fieldManager", "fieldValidation"];
const REMOVE = [
  ...["dryRun", "gracePeriodSeconds", "ignoreStoreReadErrorWithClusterBreakingPotential"],
  ...["orphanDependents", "propagationPolicy"],
];

export const BODY_TYPES = ["*/*"];
export const JSON_AND_YAML = ["application/json", "application/yaml"];
export const ANSWER_TYPES = [...JSON_AND_YAML, "application/vnd.kubernetes.protobuf"];
const STREAMS = ["application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch"];
const PATCHES = ["application/json-patch+json", "application/merge-patch+json"];
const APPLY = "application/apply-patch+yaml";

const all = { answerTypes: ANSWER_TYPES };
const deletion = { body: `${META}DeleteOptions`, answer: `${META}Status` };

const BUILT_IN: readonly VerbRow[] = [
  {
    ...{ place: "collection", verb: "list", word: "list", method: "get", action: "list", query: LIST },
    ...{ answer: "list", answerTypes: [...ANSWER_TYPES, ...STREAMS], codes: [200] },
  },
  {
    ...{ place: "collection", verb: "create", word: "create", method: "post", action: "post", query: WRITE },
    ...{ body: "itself", answer: "itself", ...all, codes: [200, 201, 202] },
  },
  {
    ...{ place: "collection", verb: "deletecollection", word: "deleteCollection", method: "delete" },
    action: "deletecollection",
    query: [...LIST.filter((name) => !/watch/i.test(name)), ...REMOVE],
    ...{ ...deletion, ...all, codes: [200] },
  },
  {
    ...{ place: "item", verb: "get", word: "read", method: "get", action: "get", query: [] },
    ...{ answer: "itself", ...all, codes: [200] },
  },
  {
    ...{ place: "item", verb: "update", word: "replace", method: "put", action: "put", query: WRITE },
    ...{ body: "itself", answer: "itself", ...all, codes: [200, 201] },
  },
  {
    ...{ place: "item", verb: "delete", word: "delete", method: "delete", action: "delete", query: REMOVE },
    ...{ ...deletion, ...all, codes: [200, 202] },
  },
  {
    ...{ place: "item", verb: "patch", word: "patch", method: "patch", action: "patch", query: [...WRITE, "force"] },
    ...{ body: `${META}Patch`, bodyTypes: [...PATCHES, "application/strategic-merge-patch+json", APPLY] },
    ...{ answer: "itself", ...all, codes: [200, 201] },
  },
];

function customRow(row: VerbRow): VerbRow {
  const plain = { ...row, answerTypes: JSON_AND_YAML, ...(row.body === undefined ? {} : { bodyTypes: JSON_AND_YAML }) };
  if (row.verb === "get") return { ...plain, query: ["resourceVersion"] };
  if (row.verb === "patch") return { ...plain, bodyTypes: [...PATCHES, APPLY], codes: [200] };
  if (row.verb !== "deletecollection") return plain;
  const { body: _, bodyTypes: _types, ...rest } = plain;
  return { ...rest, query: LIST };
}

const CUSTOM = BUILT_IN.map(customRow);

export const verbRows = (custom: boolean): readonly VerbRow[] => (custom ? CUSTOM : BUILT_IN);

/** Types of parameters that are no text. */
export const PARAMETER_TYPES: Readonly<Record<string, string>> = {
  allowWatchBookmarks: "boolean",
  follow: "boolean",
  force: "boolean",
  gracePeriodSeconds: "integer",
  ignoreStoreReadErrorWithClusterBreakingPotential: "boolean",
  insecureSkipTLSVerifyBackend: "boolean",
  limit: "integer",
  limitBytes: "integer",
  orphanDependents: "boolean",
  ports: "integer",
  previous: "boolean",
  sendInitialEvents: "boolean",
  sinceSeconds: "integer",
  stderr: "boolean",
  stdin: "boolean",
  stdout: "boolean",
  tailLines: "integer",
  timeoutSeconds: "integer",
  timestamps: "boolean",
  tty: "boolean",
  watch: "boolean",
};

/** What answers of each status are called. */
export const ANSWER_DESCRIPTIONS: Readonly<Record<number, string>> = { 200: "OK", 201: "Created", 202: "Accepted" };
