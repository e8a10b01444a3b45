import { expect, it } from "vitest";
import type { Schema } from "../schema/schema.ts";
import { defaultCustom } from "./custom-form.ts";

it("completes the default that stands in for a null", () => {
  const level: Schema = { type: "integer", default: 3 };
  const nested: Schema = { type: "object", default: {}, properties: { level } };
  const value = { nested: null };
  defaultCustom({ type: "object", properties: { nested } }, value);
  expect(value).toEqual({ nested: { level: 3 } });
});
