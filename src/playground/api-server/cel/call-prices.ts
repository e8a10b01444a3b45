// What calls cost while an expression runs, by the values that they are given: as Kubernetes counts it. What the
// compiler estimates for the same calls is in call-costs.ts, and differs.
import { type CelValue, isCelList, isCelMap } from "@bufbuild/cel";
import { isOpaque, opened, textOf } from "./opaque.ts";
import { LOOK, PATTERN } from "./sizes.ts";

/** `args` begin with the target, when there is one. */
export type CallPrice = (args: readonly CelValue[], result: CelValue) => number;

/** What can stand for the size of a value that has none. */
const SCALAR = 1;

/** Characters, bytes or items; 1 for what has no size. */
function sizeOf(value: CelValue | undefined): number {
  if (typeof value === "string") return lengthOf(value);
  if (value instanceof Uint8Array) return value.length;
  if (isCelList(value)) return value.size;
  return isCelMap(value) ? mapSize(value) : SCALAR;
}

const OPAQUE_SIZES: Readonly<Record<string, (value: CelValue) => number>> = {
  ip: (value) => (textOf(opened(value, "ip"), "text").includes(":") ? 16 : 4),
  cidr: (value) => Math.ceil(Number(opened(value, "cidr").get("bits")) / 8),
};

function mapSize(value: CelValue): number {
  if (!isCelMap(value)) return SCALAR;
  const mark = value.get(MARK);
  if (typeof mark !== "string") return value.size;
  if (isOpaque(value, "optional")) return sizeOf(value.get("value"));
  return OPAQUE_SIZES[mark]?.(value) ?? SCALAR;
}

const MARK = "\u0000type";

/** In characters, not in halves of them. */
function lengthOf(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i++) if ((text.charCodeAt(i) & 0xfc00) === 0xdc00) length--;
  return length;
}

const priced = (units: number, price = LOOK) => Math.ceil(units * price);
const isText = (value: CelValue | undefined) => typeof value === "string" || value instanceof Uint8Array;

const looked: CallPrice = ([first]) => priced(sizeOf(first));
const lookedTwice: CallPrice = ([first]) => priced(sizeOf(first), 2 * LOOK);
const shorter: CallPrice = ([left, right]) => priced(Math.min(sizeOf(left), sizeOf(right)));
const ofTexts =
  (price: CallPrice): CallPrice =>
  (args, result) =>
    args.every(isText) ? price(args, result) : 1;
const pattern: CallPrice = ([text, expression]) => priced(1 + sizeOf(text)) * priced(sizeOf(expression), PATTERN);

/** A walk through all that a value holds. */
function walk(value: CelValue | undefined): number {
  if (typeof value === "string") return Math.trunc(Buffer.byteLength(value) * LOOK);
  if (value instanceof Uint8Array) return Math.trunc(value.length * LOOK);
  if (isCelList(value)) return [...value].reduce<number>((sum, item) => sum + walk(item), 0);
  if (!isCelMap(value) || value.get(MARK) !== undefined) return SCALAR;
  return [...value].reduce((sum, [key, child]) => sum + walk(key) + walk(child), 0);
}

const LIST_MADE = 11;
const made: CallPrice = (_, result) => sizeOf(result) + LIST_MADE;
const compared = (list: CelValue | undefined): number => {
  const size = sizeOf(list);
  const [first] = isCelList(list) ? [...list] : [];
  return Math.trunc(size * size * (isText(first) ? 2 + LOOK : 2)) + LIST_MADE;
};
const sets =
  (factor: number): CallPrice =>
  ([left, right]) =>
    1 + sizeOf(left) * sizeOf(right) * factor;

const FORMAT_SIZES: Readonly<Record<string, number>> = {
  dns1123Label: 30,
  dns1123Subdomain: 60,
  dns1035Label: 30,
  qualifiedName: 60,
  dns1123LabelPrefix: 30,
  dns1123SubdomainPrefix: 60,
  dns1035LabelPrefix: 30,
  labelValue: 40,
};
/** Of the expressions of the formats that have long ones. */
const LONG_FORMAT = 128;

const validated: CallPrice = ([format, text]) => {
  if (!isOpaque(format, "format")) return 1;
  const size = FORMAT_SIZES[textOf(format, "name")] ?? LONG_FORMAT;
  return priced(1 + sizeOf(text)) * priced(size, PATTERN);
};

const withinNetwork =
  (isNetwork: boolean): CallPrice =>
  ([network, other]) => {
    const size = sizeOf(network);
    const compare = priced(2 * size) + (isNetwork ? priced(size) + 1 : 0);
    return compare + (typeof other === "string" ? priced(sizeOf(other)) : 0);
  };

const AUTHORIZATION = 350_000;
/** A selector is read, and makes a requirement of every two characters. */
const selector: CallPrice = ([, text]) => 10 + priced(sizeOf(text)) + priced(sizeOf(text), 0.5) * 50;

const each = (names: readonly string[], price: CallPrice) => Object.fromEntries(names.map((name) => [name, price]));

/** Of the calls that cost other than 1; names with their name space. */
export const CALL_PRICES: ReadonlyMap<string, CallPrice> = new Map(
  Object.entries({
    ...each(["_==_", "_!=_"], shorter),
    ...each(["_<_", "_<=_", "_>_", "_>=_"], ofTexts(shorter)),
    ...each(["startsWith", "endsWith", "strings.quote", "format"], looked),
    ...each(["lowerAscii", "upperAscii", "substring", "trim", "url", "jsonpatch.escapeKey"], looked),
    ...each(["cidr", "isIP", "isCIDR", "quantity", "isQuantity", "semver", "isSemver"], looked),
    ...each(["replace", "split", "ip.isCanonical"], lookedTwice),
    ...each(["matches", "find", "findAll"], pattern),
    ...each(["isSorted", "sum", "max", "min", "indexOf", "lastIndexOf"], ([list]) => walk(list)),
    ...each(["slice", "reverse", "lists.range"], made),
    ...each(["sort", "distinct"], ([list]) => compared(list)),
    ...each(["sets.contains", "sets.intersects"], sets(1)),
    ...each(["fieldSelector", "labelSelector"], selector),
    "sets.equivalent": sets(2),
    "@sortByKeys": ([, keys]) => compared(keys),
    "_+_": ofTexts(([left, right]) => priced(sizeOf(left) + sizeOf(right))),
    "@in": ([, all]) => (isCelList(all) ? all.size : 1),
    contains: ofTexts(([text, part]) => priced(sizeOf(text)) * priced(sizeOf(part))),
    join: (_, result) => priced(sizeOf(result), 2 * LOOK),
    flatten: ([list, depth]) => Math.trunc(sizeOf(list) * (depth === undefined ? 1 : Number(depth))) + LIST_MADE,
    string: ([value]) => (value instanceof Uint8Array ? priced(value.length) : 1),
    bytes: ([value]) => (typeof value === "string" ? priced(sizeOf(value)) : 1),
    ip: ([value]) => (typeof value === "string" ? priced(sizeOf(value)) : 1),
    check: () => AUTHORIZATION,
    validate: validated,
    containsIP: withinNetwork(false),
    containsCIDR: withinNetwork(true),
    // Macros of our own become calls that Kubernetes does not have.
    ...each(["@entries", "@toMap", "@merged", "@optionalList", "@optionalMap"], () => 0),
  }),
);
