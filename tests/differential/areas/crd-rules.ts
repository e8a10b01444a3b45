// Schemas with rules in CEL: sound ones with objects that keep and break them, and ones that a server must refuse.
import type { Random } from "../generate/random.ts";
import type { Json, JsonMap } from "../step.ts";

const text = (more: JsonMap = {}): JsonMap => ({ type: "string", maxLength: 20, ...more });
const list = (items: JsonMap, more: JsonMap = {}): JsonMap => ({ type: "array", maxItems: 5, items, ...more });

export interface RuledShape {
  readonly properties: JsonMap;
  readonly rules: JsonMap[];
  readonly specs: readonly Json[];
}

/** Transitions, messages, reasons, paths, maps and times. */
export const RULED: readonly RuledShape[] = [
  {
    properties: {
      phase: text({
        enum: ["one", "two", "three"],
        "x-kubernetes-validations": [
          { rule: "self == oldSelf || oldSelf != 'three'", message: "three is the end", reason: "FieldValueForbidden" },
        ],
      }),
      count: {
        type: "integer",
        "x-kubernetes-validations": [
          { rule: "self >= oldSelf", messageExpression: "'count may only ' + (oldSelf > 3 ? 'grow' : 'rise')" },
          { rule: "self < 100 / (self - 7)" },
        ],
      },
      labels: {
        type: "object",
        maxProperties: 4,
        additionalProperties: text(),
        "x-kubernetes-validations": [{ rule: "self.all(k, k.size() < 5 && self[k] != '')", fieldPath: ".a" }],
      },
      once: text({
        "x-kubernetes-validations": [
          { rule: "!oldSelf.hasValue() || oldSelf.value() == self", optionalOldSelf: true, message: "set once" },
        ],
      }),
    },
    rules: [
      { rule: "has(self.phase) == has(oldSelf.phase)", message: "phase may not come or go" },
      { rule: "!has(self.labels) || !('a' in self.labels) || self.labels['a'] != 'b'", reason: "FieldValueDuplicate" },
    ],
    specs: [
      {},
      { phase: "one", count: 1 },
      { phase: "three", count: 2 },
      { phase: "two", count: 7 },
      { count: 20 },
      { count: 5, labels: { a: "b" } },
      { labels: { toolong: "x" } },
      { labels: { a: "" }, once: "x" },
      { once: "y", phase: "one" },
    ],
  },
  {
    properties: {
      ports: list(
        {
          type: "object",
          required: ["name"],
          properties: {
            name: text(),
            port: { type: "integer", minimum: 1 },
            target: { "x-kubernetes-int-or-string": true },
          },
          "x-kubernetes-validations": [
            { rule: "!has(self.port) || self.port < 1000", message: "only low ports", fieldPath: ".port" },
            { rule: "!has(oldSelf.port) || has(self.port)", message: "a port stays" },
          ],
        },
        { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] },
      ),
      names: list(text({ pattern: "^[a-z]*$" }), { "x-kubernetes-list-type": "set" }),
      when: text({ format: "date-time" }),
      wait: text({ format: "duration" }),
      free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
    },
    rules: [
      {
        rule: "!has(self.ports) || self.ports.exists_one(p, p.name == 'main')",
        messageExpression: "'there must be one main of ' + (has(self.ports) ? 'some' : 'none')",
        fieldPath: ".ports",
      },
      { rule: "!has(self.names) || self.names.filter(n, n.startsWith('x')).map(n, n.size()).sum() < 10" },
      { rule: "!has(self.when) || self.when > timestamp('2001-01-01T00:00:00Z')" },
      { rule: "!has(self.wait) || self.wait < duration('1h')", message: "wait less" },
    ],
    specs: [
      { ports: [{ name: "main", port: 80 }] },
      { ports: [{ name: "main" }, { name: "b", port: 8080 }] },
      { ports: [{ name: "b" }] },
      { ports: [{ name: "main", port: 0 }] },
      { ports: [], names: ["xaaaaa", "xbbbbb"] },
      { names: ["x", "y"], when: "2000-01-01T00:00:00Z" },
      { when: "2002-01-01T00:00:00Z", wait: "30m" },
      { wait: "2h", free: { a: { b: [1] } } },
      { wait: "no" },
      { ports: [{ name: "main", target: "x" }], names: ["A"] },
    ],
  },
  {
    properties: {
      version: text(),
      name: text(),
      tags: list(text({ maxLength: 5 }), { maxItems: 4 }),
      labels: { type: "object", maxProperties: 3, additionalProperties: text({ maxLength: 4 }) },
      inner: { type: "object", properties: { level: { type: "integer" }, note: text() } },
    },
    rules: [
      { rule: "self.?inner.?level.orValue(1) > 0", message: "level too low" },
      { rule: "self.?tags[?0].orValue('x') != 'bad'", messageExpression: "'first ' + self.?tags[?0].orValue('none')" },
      { rule: "self.?name.optMap(n, n.size() < 5).orValue(true)" },
      { rule: "!has(self.version) || isSemver(self.version, true)", message: "a version" },
      { rule: "!has(self.version) || semver(self.version).isLessThan(semver('2.0.0'))" },
      { rule: "!has(self.name) || !format.dns1123Label().validate(self.name).hasValue()" },
      { rule: "!has(self.labels) || self.labels.transformList(k, v, k + v).all(t, t != 'ab')" },
      { rule: "!has(self.tags) || self.tags.sort() == self.tags", message: "in order" },
      { rule: "[?self.?inner.?note, 'b'].size() < 2 || self.inner.note != 'no'" },
    ],
    specs: [
      {},
      { inner: { level: 0 } },
      { inner: { level: 5, note: "no" } },
      { tags: ["bad", "good"] },
      { tags: ["b", "a"] },
      { name: "longer" },
      { name: "Up_" },
      { version: "1.2.3" },
      { version: "3.0.0-rc.1" },
      { version: "v1" },
      { labels: { a: "b" }, version: "x" },
      { labels: { a: "c" }, tags: ["a"], name: "ok" },
    ],
  },
];

const SIZES = [undefined, 1, 10, 1000, 100_000];

/** Expressions whose costs differ by much, on a list of texts. */
const EXPENSIVE = [
  "self.all(x, x.startsWith('a'))",
  "self.all(x, self.all(y, x != y))",
  "self.exists(x, x.matches('^[a-z]+$'))",
  "self.map(x, x + 'b').all(y, y.size() > 0)",
  "self.filter(x, x.contains('ab')).size() > 1",
  "self.all(x, x.replace('a', 'bb').size() < 10)",
  "self.all(x, x.split(',').all(y, y == ''))",
  "self.join(',').size() < 100",
  "self.all(x, x in ['a', 'b'])",
  "self.exists_one(x, x.lowerAscii() == x)",
  "self == oldSelf",
  "self[0] == 'a' || self.size() < 3",
  "self.all(x, isURL(x) && url(x).getHost() == 'a')",
  "self.all(x, x.find('[0-9]+') != '')",
  "self.isSorted()",
  "self.all(x, quantity(x).isGreaterThan(quantity('1')))",
  "self.all(x, x < 'b' ? x.size() < 3 : x.endsWith('z'))",
];

const MESSAGES = [
  "'no'",
  "self.join(',')",
  "'size ' + string(self.size())",
  "self[0]",
  "self",
  "1 + 1",
  "self.nothing",
];

/** A field with a rule that may cost too much. */
export function expensive(random: Random): JsonMap {
  const most = (field: string): JsonMap => {
    const size = random.pick(SIZES);
    return size === undefined ? {} : { [field]: size };
  };
  const rules = Array.from({ length: 1 + random.int(2) }, () => ({
    rule: random.pick(EXPENSIVE),
    ...(random.chance(0.3) ? { messageExpression: random.pick(MESSAGES) } : {}),
  }));
  const items = { type: "string", ...most("maxLength"), ...(random.chance(0.1) ? { enum: ["a", "bcd"] } : {}) };
  const field: JsonMap = { type: "array", items, ...most("maxItems"), "x-kubernetes-validations": rules };
  if (random.chance(0.3)) return { type: "array", ...most("maxItems"), items: field };
  if (random.chance(0.3)) return { type: "object", ...most("maxProperties"), additionalProperties: field };
  return field;
}

const rule = (text: string, more: JsonMap = {}): JsonMap => ({ rule: text, ...more });
const ruled = (...rules: JsonMap[]): JsonMap => ({ type: "string", maxLength: 5, "x-kubernetes-validations": rules });

/** Fields that no definition may have. */
export const WRONG_FIELDS: readonly JsonMap[] = [
  ruled(rule("self.size()")),
  ruled(rule("self.?x.hasValue()")),
  ruled(rule("[?'b'].size() == 1")),
  ruled(rule("{?'a': 'b'}.size() == 1")),
  ruled(rule("[1, 'a'].size() == 1")),
  ruled(rule("self.matches('[')")),
  ruled(rule("duration('1x') == duration('1s')")),
  ruled(rule("timestamp('x') < timestamp('2001-01-01T00:00:00Z')")),
  ruled(rule("1 && self == 'a'")),
  ruled(rule("[self].all(i, i, true)")),
  ruled(rule("[self].transformList(i, 1, i).size() == 1")),
  ruled(rule("optional.of(self).optMap(v.x, v).hasValue()")),
  ruled(rule("self.optMap(v, v).hasValue()")),
  ruled(rule("optional.of(self).orValue(1) == 1")),
  ruled(rule("cel.bind(x, self, x == x)")),
  ruled(rule("format.uri().validate(1).hasValue()")),
  ruled(rule("[self].flatten() == []")),
  ruled(rule("[self].sum() == 1")),
  ruled(rule("self.reverse() == ''")),
  { type: "string", maxLength: 5, allOf: [ruled(rule("self != ''"))] },
  ruled(rule("self.nothing")),
  ruled(rule("nothing(self)")),
  ruled(rule("other == 1")),
  ruled(rule("self.startsWith(1)")),
  ruled(rule("size(self, self) > 0")),
  ruled(rule("self == 'a' &&")),
  ruled(rule("  "), rule("self != ''", { message: "  " })),
  ruled(rule("self != ''", { message: "a\nb" })),
  ruled(rule("self != ''\n&& true")),
  ruled(rule("self != ''", { reason: "Own" })),
  ruled(rule("self != ''", { fieldPath: ".a" })),
  ruled(rule("self != ''", { fieldPath: " " })),
  ruled(rule("self != ''", { messageExpression: " " })),
  ruled(rule("self != ''", { messageExpression: "1" })),
  ruled(rule("self != ''", { messageExpression: "self +" })),
  ruled(rule("self != ''", { optionalOldSelf: true })),
  ruled(rule("oldSelf.orValue('') == self", { optionalOldSelf: true })),
  { type: "array", maxItems: 3, items: ruled(rule("self == oldSelf")) },
  { type: "string", default: "toolong", maxLength: 3 },
  { type: "string", default: "b", enum: ["a"] },
  { type: "object", default: { b: 1 }, properties: { a: { type: "string" } } },
  { type: "integer", default: 1.5 },
  { type: "string", nullable: true, default: null },
  { type: "object", properties: { a: { type: "integer", default: "x" } } },
  { type: "string", pattern: "[" },
  { type: "string", pattern: "a{2" },
  { type: "string", "x-kubernetes-int-or-string": true },
  { "x-kubernetes-int-or-string": true, "x-kubernetes-preserve-unknown-fields": true },
  { type: "object", "x-kubernetes-embedded-resource": true },
  { type: "string", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true },
  { type: "object", "x-kubernetes-map-type": "own" },
  { type: "string", "x-kubernetes-map-type": "atomic" },
  { type: "array", items: { type: "string" }, "x-kubernetes-list-type": "own" },
  { type: "array", items: { type: "object" }, "x-kubernetes-list-type": "set" },
  { type: "array", items: { type: "string", nullable: true }, "x-kubernetes-list-type": "set" },
  {
    type: "array",
    items: { type: "object", properties: { a: { type: "string" } } },
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["a", "b", "a"],
  },
  { type: "array", items: { type: "string" }, "x-kubernetes-list-map-keys": ["a"] },
  { type: "object", anyOf: [{ properties: { a: { type: "string" } } }] },
  { type: "object", oneOf: [{ required: ["a"] }], not: { type: "string" } },
  { type: "object", allOf: [{ properties: { a: { minimum: 1 } } }] },
  { type: "object", additionalProperties: false, properties: { a: { type: "string" } } },
  { type: "object", additionalProperties: { type: "own" } },
  { type: "array", uniqueItems: true, items: { type: "string" } },
  { type: "array", items: [{ type: "string" }] },
  { type: "string", $ref: "#/x" },
  { type: "object", patternProperties: { a: { type: "string" } } },
  { type: "object", definitions: { a: { type: "string" } } },
  { type: "null" },
  { type: "object", "x-kubernetes-preserve-unknown-fields": false },
  { type: "string", format: "own", minLength: 5, maxLength: 3 },
];

/** Parts of a version that no definition may have. */
export const WRONG_PARTS: readonly JsonMap[] = [
  { deprecationWarning: "not deprecated" },
  { deprecated: true, deprecationWarning: "" },
  { deprecated: true, deprecationWarning: "x".repeat(300) },
  { additionalPrinterColumns: [{ name: "", type: "string", jsonPath: ".a" }] },
  { additionalPrinterColumns: [{ name: "A", type: "", jsonPath: "" }] },
  { additionalPrinterColumns: [{ name: "A", type: "integer", format: "own", jsonPath: ".spec.a" }] },
  { selectableFields: [{ jsonPath: ".spec.a" }, { jsonPath: ".spec.a" }] },
  { selectableFields: [{ jsonPath: ".metadata.name" }] },
  { selectableFields: [{ jsonPath: ".spec.none" }, { jsonPath: "" }] },
  { selectableFields: [{ jsonPath: ".spec" }] },
  { subresources: { scale: { specReplicasPath: ".status.replicas", statusReplicasPath: ".status.replicas" } } },
  { subresources: { scale: { specReplicasPath: ".spec.a", statusReplicasPath: "" } } },
  {
    subresources: {
      scale: { specReplicasPath: ".spec.a", statusReplicasPath: ".status.a", labelSelectorPath: ".metadata.a" },
    },
  },
];
