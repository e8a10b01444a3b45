// Paths that answer with documents: discovery, the version, the keys of tokens.
import { discoveryId, operationTag } from "./operation-names.ts";
import type { PathOperations } from "./operations.ts";
import { ANSWER_TYPES } from "./verb-rows.ts";

const MACHINERY = "io.k8s.apimachinery.pkg.";

interface Told {
  readonly id: string;
  readonly tag: string;
  readonly sentence: string;
  /** A definition of API machinery; text without one. */
  readonly answer?: string;
  readonly types?: readonly string[];
  readonly takes?: readonly string[];
}

function told(path: string, { id, tag, sentence, answer, types = ANSWER_TYPES, takes = types }: Told): PathOperations {
  const shown = answer === undefined ? undefined : MACHINERY + answer;
  const operation = {
    method: "get",
    id,
    tag,
    sentence,
    named: "",
    texts: "",
    query: [],
    pretty: false,
    codes: [200],
  } as const;
  return { path, places: [], operations: [{ ...operation, answer: shown, answerTypes: types, takes }] };
}

/** `/apis/apps/v1/` */
export function resourcesDocument(at: { readonly group: string; readonly version: string }): PathOperations {
  const path = at.group === "" ? `/api/${at.version}/` : `/apis/${at.group}/${at.version}/`;
  const answer = "apis.meta.v1.APIResourceList";
  return told(path, {
    id: discoveryId(at, "APIResources"),
    tag: operationTag(at),
    sentence: "get available resources",
    answer,
  });
}

const FIXED: readonly PathOperations[] = [
  told("/api/", {
    id: "getCoreAPIVersions",
    tag: "core",
    sentence: "get available API versions",
    answer: "apis.meta.v1.APIVersions",
  }),
  told("/apis/", {
    id: "getAPIVersions",
    tag: "apis",
    sentence: "get available API versions",
    answer: "apis.meta.v1.APIGroupList",
  }),
  told("/version/", {
    id: "getCodeVersion",
    tag: "version",
    sentence: "get the version information for this server",
    answer: "version.Info",
    types: ["application/json"],
  }),
  told("/.well-known/openid-configuration/", {
    id: "getServiceAccountIssuerOpenIDConfiguration",
    tag: "WellKnown",
    sentence: "get service account issuer OpenID configuration, also known as the 'OIDC discovery doc'",
    types: ["application/json"],
    takes: [],
  }),
  told("/openid/v1/jwks/", {
    id: "getServiceAccountIssuerOpenIDKeyset",
    tag: "openid",
    sentence: "get service account issuer OpenID JSON Web Key Set (contains public token verification keys)",
    types: ["application/jwk-set+json"],
    takes: [],
  }),
];

/** By the path of its own document, of which each has one: `apis/apps`. Groups are those of built-in kinds. */
export function discoveryDocuments(groups: Iterable<string>): Map<string, PathOperations> {
  const answer = "apis.meta.v1.APIGroup";
  const ofGroups = [...new Set(groups)]
    .filter((group) => group !== "")
    .map((group) =>
      told(`/apis/${group}/`, {
        id: discoveryId({ group }, "APIGroup"),
        tag: operationTag({ group }),
        sentence: "get information of a group",
        answer,
      }),
    );
  return new Map([...FIXED, ...ofGroups].map((row) => [row.path.slice(1, -1), row]));
}
