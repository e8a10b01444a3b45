// What Kubernetes' authors say of definitions, fields and parameters. The texts are no part of this project: set-up
// reads them from packages (tools/kubernetes-descriptions.mjs). Nothing is loaded before somebody asks for OpenAPI, and
// what is loaded goes again when no document is being made.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { findAsset } from "#base/asset-path";
import { loadedWhileUsed } from "./loaded-while-used.ts";

type Texts = Readonly<Record<string, string>>;

const ASSET = "playground/api-server/open-api/descriptions.gen.json.gz";
const texts = loadedWhileUsed(readTexts);

/** Of `io.k8s.api.core.v1.Pod` or of its field; undefined when there is none. */
export function descriptionOf(definition: string, field?: string): string | undefined {
  return texts()[field === undefined ? definition : `${definition}.${field}`];
}

/** Every action has some of the parameters; what several have is the same. */
const ACTIONS = ["post", "list", "deletecollection", "path"];

/** Of a parameter of an operation; `special` is what alone has its own text: `exec`, `proxy.Pod`, `patch`. */
export function parameterDescription(name: string, special: string): string | undefined {
  const all = texts();
  const key = [special, ...ACTIONS]
    .map((action) => `parameters ${action}.${name}`)
    .find((one) => all[one] !== undefined);
  return key === undefined ? undefined : all[key];
}

/** A machine where they could not be fetched goes without. */
function readTexts(): Texts {
  const file = findAsset(ASSET);
  if (file === undefined) return {};
  return (JSON.parse(gunzipSync(readFileSync(file)).toString()) as { readonly texts: Texts }).texts;
}
