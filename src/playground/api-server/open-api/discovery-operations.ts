// Paths that answer with documents: discovery, the version, the keys of tokens.
import { discoveryId, operationTag } from "./operation-names.ts";
import type { PathOperations } from "./operations.ts";
import { ANSWER_TYPES } from "./verb-rows.ts";

const MACHINERY = "io.k8s.apimachinery.pkg.";

interface Told {
  readonly id: string;
  readonly tag: string;
  /** A definition of API machinery; text without one. */
  readonly answer?: string;
  readonly types?: readonly string[];
}

function told(path: string, { id, tag, answer, types = ANSWER_TYPES }: Told): PathOperations {
  const shown = answer === undefined ? undefined : MACHINERY + answer;
  const operation = { method: "get", id, tag, query: [], pretty: false, codes: [200] } as const;
  return { path, places: [], operations: [{ ...operation, answer: shown, answerTypes: types }] };
}

/** `/apis/apps/v1/` */
export function resourcesDocument(at: { readonly group: string; readonly version: string }): PathOperations {
  const path = at.group === "" ? `/api/${at.version}/` : `/apis/${at.group}/${at.version}/`;
  const answer = "apis.meta.v1.APIResourceList";
  return told(path, { id: discoveryId(at, "APIResources"), tag: operationTag(at), answer });
}

const FIXED: readonly PathOperations[] = [
  told("/api/", { id: "getCoreAPIVersions", tag: "core", answer: "apis.meta.v1.APIVersions" }),
  told("/apis/", { id: "getAPIVersions", tag: "apis", answer: "apis.meta.v1.APIGroupList" }),
  told("/version/", { id: "getCodeVersion", tag: "version", answer: "version.Info", types: ["application/json"] }),
  told("/.well-known/openid-configuration/", {
    id: "getServiceAccountIssuerOpenIDConfiguration",
    tag: "WellKnown",
    types: ["application/json"],
  }),
  told("/openid/v1/jwks/", {
    id: "getServiceAccountIssuerOpenIDKeyset",
    tag: "openid",
    types: ["application/jwk-set+json"],
  }),
];

/** By the path of its own document, of which each has one: `apis/apps`. Groups are those of built-in kinds. */
export function discoveryDocuments(groups: Iterable<string>): Map<string, PathOperations> {
  const answer = "apis.meta.v1.APIGroup";
  const ofGroups = [...new Set(groups)]
    .filter((group) => group !== "")
    .map((group) =>
      told(`/apis/${group}/`, { id: discoveryId({ group }, "APIGroup"), tag: operationTag({ group }), answer }),
    );
  return new Map([...FIXED, ...ofGroups].map((row) => [row.path.slice(1, -1), row]));
}
