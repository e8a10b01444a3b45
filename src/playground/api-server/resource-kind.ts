import type { JsonObject, JsonValue } from "./contract.ts";
import { definition, type Schema } from "./schema/schema.ts";

/** A row of the generated table of built-in kinds. */
export interface KindRow {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly subresources: readonly Subresource[];
  /** False for kinds that are computed, such as TokenReview. */
  readonly stored: boolean;
  /** Full name of its schema. */
  readonly definition: string;
  /** Tells clients of discovery when the form changes in which objects are kept. */
  readonly storageVersionHash?: string;
  /** The group and version in which its objects are kept. */
  readonly storedAs: { readonly group: string; readonly version: string };
}

/** A door beside the front door, as discovery tells of it. `group` and `version` only where they are not the kind's. */
export interface Subresource {
  readonly name: string;
  readonly kind: string;
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly string[];
}

/** A column of a custom resource's table. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: string;
  readonly format?: string;
  readonly description?: string;
  readonly priority?: number;
  readonly jsonPath: string;
}

/** How objects come from one version into another where they do not just change their apiVersion. */
export interface WebhookConversion {
  /** url or service, and caBundle. */
  readonly clientConfig: JsonObject;
  readonly reviewVersions: readonly string[];
}

/** What a custom resource has beyond a built-in kind. */
export interface CustomKind {
  /** Name of its CustomResourceDefinition. */
  readonly definition: string;
  /** The schema of this version as the definition gives it. */
  readonly form: Schema;
  /** The schemas of all versions, served or not, by their names. */
  readonly forms?: ReadonlyMap<string, Schema>;
  readonly conversion?: WebhookConversion;
  readonly columns: readonly PrinterColumn[];
  readonly scale?: {
    readonly specReplicasPath: string;
    readonly statusReplicasPath: string;
    readonly labelSelectorPath: string;
  };
  /** Its definition is being deleted: no new objects. */
  readonly terminating: boolean;
  /** What clients of this version are warned of; "" when it is not deprecated. */
  readonly deprecation: string;
  readonly selectableFields: readonly string[];
}

/** One kind in one version, as the engine serves it. */
export interface ResourceKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly listKind: string;
  readonly plural: string;
  readonly singular: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  /** Names of its subresources. */
  readonly subresources: readonly string[];
  readonly subresourceRows: readonly Subresource[];
  readonly storageVersionHash?: string;
  readonly stored: boolean;
  /** Group and version in which its objects are kept: several doors may lead to the same objects. */
  readonly storedAs: { readonly group: string; readonly version: string };
  readonly schema: Schema;
  /** Full name of the schema of a built-in kind. */
  readonly definition?: string;
  readonly custom?: CustomKind;
}

/** Where objects of a kind lie in the store. */
export function storageKey(kind: ResourceKind): string {
  return resourceKey(kind.storedAs.group, kind.plural);
}

export function resourceKey(group: string, plural: string): string {
  return `${group}/${plural}`;
}

export function apiVersionOf(kind: { readonly group: string; readonly version: string }): string {
  return kind.group === "" ? kind.version : `${kind.group}/${kind.version}`;
}

/** `{group: "", version: "v1"}` of `v1`. */
export function parseApiVersion(text: JsonValue | undefined): { group: string; version: string } {
  const whole = typeof text === "string" ? text : "";
  const slash = whole.indexOf("/");
  return slash < 0 ? { group: "", version: whole } : { group: whole.slice(0, slash), version: whole.slice(slash + 1) };
}

export function builtinKind(row: KindRow): ResourceKind {
  return {
    ...row,
    listKind: `${row.kind}List`,
    subresources: row.subresources.map(({ name }) => name),
    subresourceRows: row.subresources,
    get schema() {
      return definition(row.definition);
    },
  };
}
