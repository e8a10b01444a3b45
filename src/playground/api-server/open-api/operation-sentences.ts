// One sentence on each operation, as a real server says it.

interface Subject {
  readonly kind: string;
  /** Of a subresource, as in the path. */
  readonly sub: string;
  readonly watchable: boolean;
}

const sentences: Readonly<Record<string, (subject: Subject) => string>> = {
  get: ({ kind, sub }) => `read ${of(sub)}the specified ${kind}`,
  put: ({ kind, sub }) => `replace ${of(sub)}the specified ${kind}`,
  patch: ({ kind, sub }) => `partially update ${of(sub)}the specified ${kind}`,
  post: ({ kind, sub }) => (sub === "" ? `create${articled(kind)}` : `create ${sub} of${articled(kind)}`),
  delete: ({ kind, sub }) => (sub === "" ? `delete${articled(kind)}` : `delete ${sub} of${articled(kind)}`),
  deletecollection: ({ kind }) => `delete collection of ${kind}`,
  list: ({ kind, watchable }) => `${watchable ? "list or watch" : "list"} objects of kind ${kind}`,
  watch: ({ kind }) =>
    `watch changes to an object of kind ${kind}. deprecated: use the 'watch' parameter with a list operation instead, filtered to a single item with the 'fieldSelector' parameter.`,
  watchlist: ({ kind }) =>
    `watch individual changes to a list of ${kind}. deprecated: use the 'watch' parameter with a list operation instead.`,
};

const of = (sub: string) => (sub === "" ? "" : `${sub} of `);

/** Words that look like a plural have no article. */
function articled(kind: string): string {
  if (/s$/.test(kind) && !/ss$/.test(kind)) return ` ${kind}`;
  return ` ${/^[aeiou]/i.test(kind) ? "an" : "a"} ${kind}`;
}

export function operationSentence(action: string, subject: Subject): string {
  return sentences[action]?.(subject) ?? "";
}

/** `GET` requests to `exec` of `Pod` */
export function connectionSentence(method: string, sub: string, kind: string): string {
  return `connect ${method.toUpperCase()} requests to ${sub} of ${kind}`;
}
