// The form of what one kind asks of its objects.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import type { Format } from "./formats.ts";
import { checkStatusCounts, type StatusCounts } from "./status-counts.ts";

/** `group` is that of the request: of the kinds that two groups serve. */
export type Check = (object: JsonObject, group: string) => FieldError[];
export type Compare = (object: JsonObject, old: JsonObject, group: string) => FieldError[];

export interface KindRules {
  /** A DNS subdomain when absent. */
  readonly name?: Format;
  /** generateName may be anything that a path may hold. */
  readonly anyGenerateName?: boolean;
  /** Beyond metadata, of a new object. */
  readonly create?: Check;
  /** Beyond metadata, of an object that changes. */
  readonly update?: Compare;
  /** What may not change, where it is told before the metadata is looked at as a whole. */
  readonly changed?: (object: JsonObject, old: JsonObject) => FieldError[];
  /** Through the status door. */
  readonly status?: Compare;
  /** Through other doors of their own, by subresource. */
  readonly doors?: Readonly<Record<string, Compare>>;
  /**
   * What Kubernetes checks of the metadata of an object that changes, beyond what it checks of every kind: as of a new
   * object, as of a changed one; in this order. As of a changed one when absent.
   */
  readonly meta?: readonly ("whole" | "update")[];
  /** Metadata comes last. */
  readonly metaLast?: boolean;
  /** The same through the status door and others. */
  readonly metaOfDoors?: boolean;
  /** The rules see to the metadata too, or leave them to what holds for every kind. */
  readonly ownMeta?: boolean;
  /** Kinds outside the core's rules take any qualified finalizer. */
  readonly anyFinalizer?: boolean;
}

/** New and changed objects alike, then what compares the two. */
export const both =
  (check: Check, compare?: Compare): Compare =>
  (object, old, group) => [...check(object, group), ...(compare?.(object, old, group) ?? [])];

export const counts =
  (rule: StatusCounts): Compare =>
  (object, old) =>
    checkStatusCounts(object, old, rule);
