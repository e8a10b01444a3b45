// The documents of OpenAPI, made when they are first asked for and kept as text with a hash, by which clients keep them
// too. What a definition's change does not touch is not made again.
import { createHash } from "node:crypto";
import type { JsonObject } from "../contract.ts";
import { KUBERNETES_RELEASE } from "../gen/definitions.ts";
import type { Registry } from "../registry.ts";
import type { ResourceKind } from "../resource-kind.ts";
import { discoveryDocuments } from "./discovery-operations.ts";
import { openApiProtobuf } from "./open-api-protobuf.ts";
import { openApiV2 } from "./open-api-v2.ts";
import { openApiV3, pathsV3 } from "./open-api-v3.ts";
import { groupVersionPath, type PathOperations } from "./operations.ts";

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
  v3(path: string): OpenApiText | undefined;
  v2(form: "json" | "protobuf"): OpenApiText;
}

interface Kept {
  /** What it was made of: while these are the same, so is the document. */
  readonly kinds: readonly ResourceKind[];
  readonly text: OpenApiText;
}

const RELEASE = KUBERNETES_RELEASE.split(".").slice(0, 2).join(".");

export function createOpenApiDocuments(registry: Registry): OpenApiDocuments {
  const started = Date.now();
  const kept = new Map<string, Kept>();
  const make = (key: string, kinds: readonly ResourceKind[], document: () => JsonObject): OpenApiText => {
    const found = kept.get(key);
    if (found !== undefined && sameKinds(found.kinds, kinds)) return found.text;
    const made = textOf(document());
    const text = found !== undefined && found.text.hash === made.hash ? found.text : made;
    kept.set(key, { kinds, text });
    return text;
  };
  const builtin = registry.kinds().flatMap(({ custom, group }) => (custom === undefined ? [group] : []));
  const fixed = discoveryDocuments(builtin);
  const v3 = (path: string, kinds: readonly ResourceKind[]) => make(path, kinds, () => openApiV3(kinds, RELEASE));
  const fixedV3 = (path: string, row: PathOperations) => make(path, [], () => pathsV3([row], RELEASE));
  return {
    index() {
      const byPath = kindsByPath(registry);
      for (const key of kept.keys()) if (!key.startsWith(V2) && !byPath.has(key) && !fixed.has(key)) kept.delete(key);
      const texts = [
        ...[...byPath].map(([path, kinds]) => [path, v3(path, kinds)] as const),
        ...[...fixed].map(([path, row]) => [path, fixedV3(path, row)] as const),
      ];
      const urls = texts.map(
        ([path, { hash }]) => [path, { serverRelativeURL: serverRelativeUrl(path, hash) }] as const,
      );
      return { paths: Object.fromEntries(urls.sort(([a], [b]) => (a < b ? -1 : 1))) };
    },
    modified: () => new Date(Math.max(started, ...[...kept.values()].map(({ text }) => text.modified.getTime()))),
    v3(path) {
      const kinds = kindsByPath(registry).get(path);
      if (kinds !== undefined) return v3(path, kinds);
      const row = fixed.get(path);
      return row === undefined ? undefined : fixedV3(path, row);
    },
    v2(form) {
      const kinds = registry.kinds();
      const document = () => openApiV2(kinds, RELEASE);
      const json = make(`${V2}/json`, kinds, document);
      if (form === "json") return json;
      const found = kept.get(`${V2}/protobuf`);
      if (found !== undefined && found.text.hash === json.hash) return found.text;
      const text = { ...json, body: openApiProtobuf(JSON.parse(json.body.toString()) as JsonObject) };
      kept.set(`${V2}/protobuf`, { kinds, text });
      return text;
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
