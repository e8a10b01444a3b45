// The documents of OpenAPI, made when they are first asked for and kept as text with a hash, by which clients keep them
// too. What a definition's change does not touch is not made again.
import { createHash } from "node:crypto";
import type { JsonObject } from "../contract.ts";
import { KUBERNETES_RELEASE } from "../gen/definitions.ts";
import type { Registry } from "../registry.ts";
import type { ResourceKind } from "../resource-kind.ts";
import { discoveryDocuments } from "./discovery-operations.ts";
import { openApiV2 } from "./open-api-v2.ts";
import { openApiV3, pathsV3 } from "./open-api-v3.ts";
import { groupVersionPath, type PathOperations } from "./operations.ts";
import { protobufV2 } from "./protobuf-v2.ts";
import { protobufV3 } from "./protobuf-v3.ts";

export interface OpenApiText {
  readonly body: Buffer;
  /** SHA-512 of the JSON form in capital hexadecimal digits, as Kubernetes has it in URLs and ETags. */
  readonly hash: string;
  readonly modified: Date;
}

export interface OpenApiDocuments {
  /** `/openapi/v3` */
  index(): JsonObject;
  /** When a document last changed. */
  modified(): Date;
  /** `/openapi/v3/PATH`; undefined when nothing is served there. */
  v3(path: string, form: OpenApiForm): OpenApiText | undefined;
  v2(form: OpenApiForm): OpenApiText;
}

export type OpenApiForm = "json" | "protobuf";

type Identity = Pick<OpenApiText, "hash" | "modified">;

interface Kept {
  /** What it was made of: while these are the same, so is the document. */
  readonly kinds: readonly ResourceKind[];
  readonly identity: Identity;
  /** Of documents that were asked for: the index tells of all, and few are read. */
  readonly bodies: Partial<Record<OpenApiForm, Buffer>>;
}

interface Document {
  readonly key: string;
  readonly kinds: readonly ResourceKind[];
  document(): JsonObject;
  protobuf(document: JsonObject): Buffer;
}

const RELEASE = KUBERNETES_RELEASE.split(".").slice(0, 2).join(".");

/** Keeps what was made while it is made of the same. */
function createShelf() {
  const kept = new Map<string, Kept>();
  const entryOf = ({ key, kinds, document }: Document, form?: OpenApiForm): Kept => {
    const found = kept.get(key);
    const isSame = found !== undefined && sameKinds(found.kinds, kinds);
    if (isSame && (form === undefined || found.bodies.json !== undefined)) return found;
    const { body, ...made } = textOf(document());
    const identity = found !== undefined && found.identity.hash === made.hash ? found.identity : made;
    const bodies = form === undefined ? {} : { json: body };
    const entry = { kinds, identity, bodies };
    kept.set(key, entry);
    return entry;
  };
  const make = (document: Document, form: OpenApiForm): OpenApiText => {
    const { identity, bodies } = entryOf(document, form);
    const { json = Buffer.alloc(0) } = bodies;
    if (form === "json") return { ...identity, body: json };
    bodies.protobuf ??= document.protobuf(JSON.parse(json.toString()) as JsonObject);
    return { ...identity, body: bodies.protobuf };
  };
  return { kept, make, identify: (document: Document) => entryOf(document).identity };
}

export function createOpenApiDocuments(registry: Registry): OpenApiDocuments {
  const started = Date.now();
  const { kept, make, identify } = createShelf();
  const builtin = registry.kinds().flatMap(({ custom, group }) => (custom === undefined ? [group] : []));
  const fixed = discoveryDocuments(builtin);
  const v3 = (key: string, kinds: readonly ResourceKind[]): Document => ({
    key,
    kinds,
    document: () => openApiV3(kinds, RELEASE),
    protobuf: protobufV3,
  });
  const fixedV3 = (key: string, row: PathOperations): Document => ({
    key,
    kinds: [],
    document: () => pathsV3([row], RELEASE),
    protobuf: protobufV3,
  });
  return {
    index() {
      const byPath = kindsByPath(registry);
      for (const key of kept.keys()) if (key !== V2 && !byPath.has(key) && !fixed.has(key)) kept.delete(key);
      const texts = [
        ...[...byPath].map(([path, kinds]) => [path, identify(v3(path, kinds))] as const),
        ...[...fixed].map(([path, row]) => [path, identify(fixedV3(path, row))] as const),
      ];
      const urls = texts.map(
        ([path, { hash }]) => [path, { serverRelativeURL: serverRelativeUrl(path, hash) }] as const,
      );
      return { paths: Object.fromEntries(urls.sort(([a], [b]) => (a < b ? -1 : 1))) };
    },
    modified: () =>
      new Date(Math.max(started, ...[...kept.values()].map(({ identity }) => identity.modified.getTime()))),
    v3(path, form) {
      const kinds = kindsByPath(registry).get(path);
      if (kinds !== undefined) return make(v3(path, kinds), form);
      const row = fixed.get(path);
      return row === undefined ? undefined : make(fixedV3(path, row), form);
    },
    v2(form) {
      const kinds = registry.kinds();
      return make({ key: V2, kinds, document: () => openApiV2(kinds, RELEASE), protobuf: protobufV2 }, form);
    },
  };
}

const V2 = "/v2";

/** Where the index sends clients. */
export function serverRelativeUrl(path: string, hash: string): string {
  return `/openapi/v3/${path}?hash=${hash}`;
}

function kindsByPath(registry: Registry): Map<string, ResourceKind[]> {
  const found = new Map<string, ResourceKind[]>();
  for (const kind of registry.kinds()) {
    const path = groupVersionPath(kind);
    const kinds = found.get(path);
    if (kinds === undefined) found.set(path, [kind]);
    else kinds.push(kind);
  }
  return found;
}

function sameKinds(a: readonly ResourceKind[], b: readonly ResourceKind[]): boolean {
  return a.length === b.length && a.every((kind, index) => kind === b[index]);
}

function textOf(document: JsonObject): OpenApiText {
  const body = Buffer.from(JSON.stringify(document));
  const hash = createHash("sha512").update(body).digest("hex").toUpperCase();
  return { body, hash, modified: new Date() };
}
