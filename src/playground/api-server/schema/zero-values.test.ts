import { expect, it } from "vitest";
import type { JsonObject } from "../contract.ts";
import { definition } from "./schema.ts";
import { completeZeroValues } from "./zero-values.ts";

const NAME = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps";

it("drops what is empty from schemas in schemas, where a field may have several forms", () => {
  const schema: JsonObject = {
    type: "object",
    additionalProperties: { type: "array", items: { type: "object", title: "", properties: {} } },
  };
  completeZeroValues(definition(NAME), schema, NAME);
  expect(schema).toEqual({
    type: "object",
    additionalProperties: { type: "array", items: { type: "object" } },
  });
});

it("leaves a form alone that is no schema", () => {
  const schema: JsonObject = { type: "object", additionalProperties: false, default: { a: {} } };
  completeZeroValues(definition(NAME), schema, NAME);
  expect(schema).toEqual({ type: "object", additionalProperties: false, default: { a: {} } });
});
