// What tables say of their columns: a printer's own words, or the description of a field. The latter are no part of this
// project: set-up reads them from packages (tools/descriptions/column-texts.mjs).
import { readFileSync } from "node:fs";
import { findAsset } from "#base/asset-path";
import { columnTexts } from "../gen/watched-forms.ts";

type Texts = Readonly<Record<string, string>>;

const ASSET = "playground/api-server/tables/column-texts.gen.json";
let texts: Texts | undefined;

/** A machine where they could not be fetched goes without. */
function readTexts(): Texts {
  const file = findAsset(ASSET);
  if (file === undefined) return {};
  return (JSON.parse(readFileSync(file, "utf8")) as { readonly texts: Texts }).texts;
}

/** By its name in the packages: `core_v1.PodStatus.podIP`; "" where there is none. */
export function textOfField(field: string): string {
  texts ??= readTexts();
  return texts[field] ?? "";
}

/** The n-th of the recorded ones. */
export function columnText(index: number | undefined): string {
  const text = columnTexts[index ?? -1] ?? "";
  return typeof text === "string" ? text : textOfField(text.field);
}
