// Kubernetes' named formats of texts.
import { type CelFunc, CelScalar, celFunc, celMethod, mapType } from "@bufbuild/cel";
import { badFormat } from "../crd/string-formats.ts";
import { dns1035Label, dnsLabel, dnsSubdomain, labelValue, qualifiedName } from "../validation/formats.ts";
import { NONE, opaque, opened, some, textOf } from "./opaque.ts";

const { DYN, STRING } = CelScalar;
const MAP = mapType(DYN, DYN);

type Check = (text: string) => readonly string[];

/** A name to which more is added may end in a dash. */
const prefix =
  (check: Check): Check =>
  (text) =>
    check(text.length > 1 && text.endsWith("-") ? `${text.slice(0, -1)}a` : text);

const custom =
  (format: string, fault: string): Check =>
  (text) =>
    badFormat(format, text) === undefined ? [] : [fault];

const CHECKS: Readonly<Record<string, Check>> = {
  dns1123Label: dnsLabel,
  dns1123Subdomain: dnsSubdomain,
  dns1035Label,
  qualifiedName,
  dns1123LabelPrefix: prefix(dnsLabel),
  dns1123SubdomainPrefix: prefix(dnsSubdomain),
  dns1035LabelPrefix: prefix(dns1035Label),
  labelValue,
  uri: (text) =>
    badFormat("uri", text) === undefined ? [] : [`parse ${JSON.stringify(text)}: invalid URI for request`],
  uuid: custom("uuid", "does not match the UUID format"),
  byte: custom("byte", "invalid base64"),
  date: custom("date", "invalid date"),
  datetime: custom("datetime", "invalid datetime"),
};

export const FORMAT_NAMES: readonly string[] = Object.keys(CHECKS);

const named = (name: string) => opaque("format", { name });

export const formatFunctions: readonly CelFunc[] = [
  ...FORMAT_NAMES.map((name) => celFunc(`format.${name}`, [], MAP, () => named(name))),
  celFunc("format.named", [STRING], MAP, (name) => (Object.hasOwn(CHECKS, name) ? some(named(name)) : NONE)),
  celMethod("validate", MAP, [STRING], MAP, function (text) {
    const faults = CHECKS[textOf(opened(this, "format"), "name")]?.(text) ?? [];
    return faults.length === 0 ? NONE : some([...faults]);
  }),
];
