// Paths that answer with documents of discovery.
import { discoveryId, operationTag } from "./operation-names.ts";
import type { PathOperations } from "./operations.ts";
import { ANSWER_TYPES } from "./verb-rows.ts";

const META = "io.k8s.apimachinery.pkg.apis.meta.v1.";

/** One path that answers with a definition of meta.k8s.io. */
function document(path: string, names: { readonly id: string; readonly tag: string }, answer: string): PathOperations {
  const operation = { method: "get", ...names, query: [], pretty: false, answer: META + answer } as const;
  return { path, places: [], operations: [{ ...operation, answerTypes: ANSWER_TYPES, codes: [200] }] };
}

/** `/apis/apps/v1/` */
export function resourcesDocument(at: { readonly group: string; readonly version: string }): PathOperations {
  const path = at.group === "" ? `/api/${at.version}/` : `/apis/${at.group}/${at.version}/`;
  return document(path, { id: discoveryId(at, "APIResources"), tag: operationTag(at) }, "APIResourceList");
}
