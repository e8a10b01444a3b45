// What a real API server 1.35.4 says of definitions that it refuses.
import { describe, expect, it } from "vitest";
import { fieldErrorText } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { definitionRules } from "./definition-rules.ts";

const STRING = { type: "string" };
const ROOT = "spec.validation.openAPIV3Schema";
const FIELD = `${ROOT}.properties[spec].properties[a]`;

function definition(schema: JsonObject, more: JsonObject = {}): JsonObject {
  return {
    metadata: { name: "vals.example.com" },
    spec: {
      group: "example.com",
      scope: "Namespaced",
      names: { plural: "vals", singular: "val", kind: "Val", listKind: "ValList" },
      versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema }, ...more }],
      conversion: { strategy: "None" },
    },
    status: { conditions: null, acceptedNames: { plural: "", kind: "" }, storedVersions: ["v1"] },
  };
}

const around = (field: JsonObject): JsonObject => ({
  type: "object",
  properties: { spec: { type: "object", properties: { a: field } } },
});

const refusals = (object: JsonObject, old?: JsonObject) =>
  definitionRules(object, old).map((error) => `${error.field}: ${fieldErrorText(error)}`);

describe("schemas", () => {
  it.each([
    [{}, `${FIELD}.type: Required value: must not be empty for specified object fields`],
    [{ type: "array" }, `${FIELD}.items: Required value: must be specified`],
    [{ type: "array", items: {} }, `${FIELD}.items.type: Required value: must not be empty for specified array items`],
    [
      { type: "foo" },
      `${FIELD}.type: Unsupported value: "foo": supported values: "array", "boolean", "integer", "number", "object", "string"`,
    ],
    [
      { type: "string", uniqueItems: true },
      `${FIELD}.uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic`,
    ],
    [
      { type: "object", properties: { x: STRING }, additionalProperties: STRING },
      `${FIELD}.additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive`,
    ],
    [
      { type: "string", anyOf: [{ type: "integer" }] },
      `${FIELD}.anyOf[0].type: Forbidden: must be empty to be structural`,
    ],
    [
      { type: "object", "x-kubernetes-preserve-unknown-fields": false },
      `${FIELD}.x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined`,
    ],
    [
      { type: "string", "x-kubernetes-list-type": "set" },
      `${FIELD}.type: Invalid value: "string": must be array if x-kubernetes-list-type is specified`,
    ],
    [
      { type: "string", default: 3 },
      `${FIELD}.default: Invalid value: "integer":  in body must be of type string: "integer"`,
    ],
    [
      { type: "object", properties: { x: STRING }, default: { y: 1 } },
      `${FIELD}.default: Invalid value: {"y":1}: must not have unknown fields`,
    ],
    [
      { type: "string", pattern: "(" },
      `${FIELD}.pattern: Invalid value: "(": must be a valid regular expression, but isn't: error parsing regexp: missing closing ): \`(\``,
    ],
  ])("%j", (schema, refusal) => {
    expect(refusals(definition(around(schema as JsonObject)))).toEqual([refusal]);
  });

  it("lets the two forms of numbers or texts be", () => {
    const either = { "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] };
    expect(refusals(definition(around(either)))).toEqual([]);
  });

  it("tells of each version apart when they differ", () => {
    const object = definition(around({}));
    const spec = object["spec"] as JsonObject;
    const [first] = spec["versions"] as JsonObject[];
    spec["versions"] = [
      first as JsonObject,
      { ...first, name: "v2", storage: false, schema: { openAPIV3Schema: { type: "object" } } },
    ];
    expect(refusals(object)).toEqual([
      "spec.versions[0].schema.openAPIV3Schema.properties[spec].properties[a].type: Required value: must not be empty for specified object fields",
    ]);
  });
});

describe("rules in CEL", () => {
  const shown = (rule: string) =>
    `{"Rule":${JSON.stringify(rule)},"Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}`;
  it.each([
    ["self", "cel expression must evaluate to a bool"],
    [
      "self.foo",
      "compilation failed: ERROR: <input>:1:5: type 'string' does not support field selection\n | self.foo\n | ....^",
    ],
    [
      "foo == 1",
      "compilation failed: ERROR: <input>:1:1: undeclared reference to 'foo' (in container '')\n | foo == 1\n | ^",
    ],
    [
      "self == 1",
      "compilation failed: ERROR: <input>:1:6: found no matching overload for '_==_' applied to '(string, int)'\n | self == 1\n | .....^",
    ],
    [
      "self.foo()",
      "compilation failed: ERROR: <input>:1:9: undeclared reference to 'foo' (in container '')\n | self.foo()\n | ........^",
    ],
  ])("%s", (rule, why) => {
    const schema = around({ type: "string", "x-kubernetes-validations": [{ rule }] });
    expect(refusals(definition(schema))).toEqual([
      `${FIELD}.x-kubernetes-validations[0].rule: Invalid value: ${shown(rule)}: ${why}`,
    ]);
  });
});

describe("the rest of a definition", () => {
  it("asks for approval of groups that belong to the community", () => {
    const object = definition(around(STRING));
    (object["spec"] as JsonObject)["group"] = "foo.k8s.io";
    (object["metadata"] as JsonObject)["name"] = "vals.foo.k8s.io";
    expect(refusals(object)).toEqual([
      'metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111',
    ]);
  });

  it("keeps versions in which objects may lie", () => {
    const object = definition(around(STRING));
    (object["status"] as JsonObject)["storedVersions"] = ["v0", "v1"];
    expect(refusals(object)).toEqual([
      'status.storedVersions[0]: Invalid value: "v0": missing from spec.versions; v0 was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in v0 and removes v0 from status.storedVersions',
    ]);
  });

  it("keeps group and plural for good, scope and kind once established", () => {
    const old = definition(around(STRING));
    const changed = structuredClone(old);
    (changed["spec"] as JsonObject)["scope"] = "Cluster";
    expect(refusals(changed, old)).toEqual([]);
    (old["status"] as JsonObject)["conditions"] = [{ type: "Established", status: "True" }];
    expect(refusals(changed, old)).toEqual(['spec.scope: Invalid value: "Cluster": field is immutable']);
  });
});
