// Every function of CEL and of Kubernetes with the types it takes and gives: `target.name(arguments) result`.
import { type CelType, scalar } from "./cel-type.ts";
import { FORMAT_NAMES } from "./format-functions.ts";

export interface Overload {
  readonly target: CelType | undefined;
  readonly takes: readonly CelType[];
  readonly gives: CelType;
}

const COMPARED = ["bool", "int", "uint", "double", "string", "bytes", "timestamp", "duration"];
const NUMBERS = ["int", "uint", "double"];

const ordered = ["_<_", "_<=_", "_>_", "_>=_"].flatMap((name) => [
  ...COMPARED.map((type) => `${name}(${type}, ${type}) bool`),
  ...NUMBERS.flatMap((a) => NUMBERS.filter((b) => a !== b).map((b) => `${name}(${a}, ${b}) bool`)),
]);
const arithmetic = ["_+_", "_-_", "_*_", "_/_"].flatMap((name) =>
  NUMBERS.map((type) => `${name}(${type}, ${type}) ${type}`),
);
const stamps = ["FullYear", "Month", "DayOfYear", "DayOfMonth", "Date", "DayOfWeek", "Hours", "Minutes", "Seconds"]
  .concat("Milliseconds")
  .flatMap((name) => [`timestamp.get${name}() int`, `timestamp.get${name}(string) int`]);
const spans = ["Hours", "Minutes", "Seconds", "Milliseconds"].map((name) => `duration.get${name}() int`);
const casts = [
  ...["int", "uint", "double", "string"].map((type) => `int(${type}) int`),
  ...["int", "uint", "double", "string"].map((type) => `uint(${type}) uint`),
  ...["int", "uint", "double", "string"].map((type) => `double(${type}) double`),
  ...["string", "bool", "int", "uint", "double", "bytes", "timestamp", "duration", "quantity"].map(
    (type) => `string(${type}) string`,
  ),
  "int(timestamp) int",
  "string(ip) string",
  "string(cidr) string",
  "bool(bool) bool",
  "bool(string) bool",
  "bytes(string) bytes",
  "bytes(bytes) bytes",
  "timestamp(string) timestamp",
  "timestamp(int) timestamp",
  "timestamp(timestamp) timestamp",
  "duration(string) duration",
  "duration(duration) duration",
  "duration(int) duration",
  "dyn(A) dyn",
  "type(A) type",
];
const lists = [
  ...["int", "uint", "double", "duration"].map((type) => `list(${type}).sum() ${type}`),
  ...["int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes"].flatMap((type) => [
    `list(${type}).min() ${type}`,
    `list(${type}).max() ${type}`,
    `list(${type}).isSorted() bool`,
    `list(${type}).sort() list(${type})`,
  ]),
];
const formats = FORMAT_NAMES.map((name) => `format.${name}() kubernetes.NamedFormat`);
const QUANTITY = "quantity";
const AUTHORIZATION = "kubernetes.authorization";
const checks = ["PathCheck", "ResourceCheck"].map(
  (name) => `${AUTHORIZATION}.${name}.check(string) ${AUTHORIZATION}.Decision`,
);
const narrowed = ["subresource", "namespace", "name", "fieldSelector", "labelSelector"].map(
  (name) => `${AUTHORIZATION}.ResourceCheck.${name}(string) ${AUTHORIZATION}.ResourceCheck`,
);
const authorization = [
  `${AUTHORIZATION}.Authorizer.path(string) ${AUTHORIZATION}.PathCheck`,
  `${AUTHORIZATION}.Authorizer.group(string) ${AUTHORIZATION}.GroupCheck`,
  `${AUTHORIZATION}.Authorizer.serviceAccount(string, string) ${AUTHORIZATION}.Authorizer`,
  `${AUTHORIZATION}.GroupCheck.resource(string) ${AUTHORIZATION}.ResourceCheck`,
  ...narrowed,
  ...checks,
  ...["allowed() bool", "errored() bool", "error() string", "reason() string"].map(
    (form) => `${AUTHORIZATION}.Decision.${form}`,
  ),
];
const ROWS = `_==_(A, A) bool
_!=_(A, A) bool
!_(bool) bool
_&&_(bool, bool) bool
_||_(bool, bool) bool
_?_:_(bool, A, A) A
-_(int) int
-_(double) double
_%_(int, int) int
_%_(uint, uint) uint
_+_(string, string) string
_+_(bytes, bytes) bytes
_+_(list(A), list(A)) list(A)
_+_(duration, duration) duration
_+_(timestamp, duration) timestamp
_+_(duration, timestamp) timestamp
_-_(duration, duration) duration
_-_(timestamp, timestamp) duration
_-_(timestamp, duration) timestamp
_[_](list(A), int) A
_[_](map(A, B), A) B
@in(A, list(A)) bool
@in(A, map(A, B)) bool
@not_strictly_false(bool) bool
size(string) int
size(bytes) int
size(list(A)) int
size(map(A, B)) int
string.size() int
bytes.size() int
list(A).size() int
map(A, B).size() int
string.contains(string) bool
string.startsWith(string) bool
string.endsWith(string) bool
string.matches(string) bool
matches(string, string) bool
string.charAt(int) string
string.indexOf(string) int
string.indexOf(string, int) int
string.lastIndexOf(string) int
string.lastIndexOf(string, int) int
string.lowerAscii() string
string.upperAscii() string
string.replace(string, string) string
string.replace(string, string, int) string
string.split(string) list(string)
string.split(string, int) list(string)
string.substring(int) string
string.substring(int, int) string
string.trim() string
string.format(list(dyn)) string
string.quote() string
strings.quote(string) string
list(string).join() string
list(string).join(string) string
string.find(string) string
string.findAll(string) list(string)
string.findAll(string, int) list(string)
list(A).indexOf(A) int
list(A).lastIndexOf(A) int
list(A).slice(int, int) list(A)
list(list(A)).flatten() list(A)
list(dyn).flatten(int) list(dyn)
list(A).first() optional_type(A)
list(A).last() optional_type(A)
lists.range(int) list(int)
list(A).distinct() list(A)
list(A).reverse() list(A)
sets.contains(list(A), list(A)) bool
sets.equivalent(list(A), list(A)) bool
sets.intersects(list(A), list(A)) bool
url(string) url
isURL(string) bool
url.getScheme() string
url.getHost() string
url.getHostname() string
url.getPort() string
url.getEscapedPath() string
url.getQuery() map(string, list(string))
ip(string) ip
isIP(string) bool
ip.isCanonical(string) bool
ip.family() int
ip.isLoopback() bool
ip.isUnspecified() bool
ip.isGlobalUnicast() bool
ip.isLinkLocalUnicast() bool
ip.isLinkLocalMulticast() bool
cidr(string) cidr
isCIDR(string) bool
cidr.containsIP(string) bool
cidr.containsIP(ip) bool
cidr.containsCIDR(string) bool
cidr.containsCIDR(cidr) bool
cidr.ip() ip
cidr.masked() cidr
cidr.prefixLength() int
${QUANTITY}(string) ${QUANTITY}
isQuantity(string) bool
${QUANTITY}.sign() int
${QUANTITY}.isInteger() bool
${QUANTITY}.asInteger() int
${QUANTITY}.asApproximateFloat() double
${QUANTITY}.add(${QUANTITY}) ${QUANTITY}
${QUANTITY}.add(int) ${QUANTITY}
${QUANTITY}.sub(${QUANTITY}) ${QUANTITY}
${QUANTITY}.sub(int) ${QUANTITY}
${QUANTITY}.isLessThan(${QUANTITY}) bool
${QUANTITY}.isGreaterThan(${QUANTITY}) bool
${QUANTITY}.compareTo(${QUANTITY}) int
optional.of(A) optional_type(A)
optional.none() optional_type(A)
optional.ofNonZeroValue(A) optional_type(A)
optional.unwrap(list(optional_type(A))) list(A)
list(optional_type(A)).unwrapOpt() list(A)
_[_](optional_type(list(A)), int) optional_type(A)
_[_](optional_type(map(A, B)), A) optional_type(B)
_[?_](list(A), int) optional_type(A)
_[?_](map(A, B), A) optional_type(B)
_[?_](optional_type(list(A)), int) optional_type(A)
_[?_](optional_type(map(A, B)), A) optional_type(B)
semver(string) semver
semver(string, bool) semver
isSemver(string) bool
isSemver(string, bool) bool
semver.major() int
semver.minor() int
semver.patch() int
semver.isLessThan(semver) bool
semver.isGreaterThan(semver) bool
semver.compareTo(semver) int
format.named(string) optional_type(kubernetes.NamedFormat)
kubernetes.NamedFormat.validate(string) optional_type(list(string))
optional_type(A).hasValue() bool
optional_type(A).value() A
optional_type(A).orValue(A) A
optional_type(A).or(optional_type(A)) optional_type(A)`;

const SPACES = new Set(["sets", "strings", "optional", "lists", "format"]);

function readType(text: string): CelType {
  const match = /^([^(]+)\((.*)\)$/.exec(text);
  if (match === null) return scalar(text);
  return { name: match[1] ?? "", of: parts(match[2] ?? "").map(readType) };
}

/** Splits at commas outside parentheses. */
function parts(text: string): string[] {
  if (text === "") return [];
  const found = [""];
  let depth = 0;
  for (const letter of text) {
    if (letter === "(") depth++;
    if (letter === ")") depth--;
    if (letter === "," && depth === 0) found.push("");
    else found[found.length - 1] += letter;
  }
  return found.map((part) => part.trim());
}

function readRow(row: string): readonly [string, Overload] {
  const match =
    /^(?:(.*)\.)?([^.\s(]+)\((.*)\) (\S+(?:\(.*\))?)$/.exec(row) ?? /^()(_\[\??_\])\((.*)\) (\S+)$/.exec(row);
  const [, before, name = "", takes = "", gives = ""] = match ?? [];
  const space = before !== undefined && (SPACES.has(before) || row.startsWith("ip.isCanonical"));
  const target = before === undefined || before === "" || space ? undefined : readType(before);
  const full = space ? `${before}.${name}` : name;
  return [full, { target, takes: parts(takes).map(readType), gives: readType(gives) }];
}

const table = new Map<string, Overload[]>();
for (const row of [
  ...ROWS.split("\n"),
  ...ordered,
  ...arithmetic,
  ...stamps,
  ...spans,
  ...casts,
  ...lists,
  ...formats,
  ...authorization,
]) {
  const [name, overload] = readRow(row);
  table.set(name, [...(table.get(name) ?? []), overload]);
}

/** All forms of a function; undefined when there is none of this name. */
export const overloadsOf = (name: string): readonly Overload[] | undefined => table.get(name);
