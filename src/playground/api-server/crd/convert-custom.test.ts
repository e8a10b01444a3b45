import { describe, expect, it } from "vitest";
import type { JsonObject } from "../contract.ts";
import type { CustomKind, ResourceKind } from "../resource-kind.ts";
import { convertCustom, whenConverted } from "./convert-custom.ts";

const conversion = { clientConfig: {}, reviewVersions: ["v1"] };
const kindWith = (custom: Partial<CustomKind>) =>
  ({
    group: "example.com",
    custom: {
      forms: new Map([
        ["v1", {}],
        ["v2", {}],
      ]),
      ...custom,
    },
  }) as unknown as ResourceKind;

const object: JsonObject = { apiVersion: "example.com/v1", kind: "Widget", spec: { a: 1 } };

describe("a custom resource in another version", () => {
  it("is asked for once, and the code runs anew with the answer", async () => {
    const asked: string[] = [];
    let runs = 0;
    const both = await whenConverted(
      async ({ wanted }) => {
        asked.push(wanted);
        return { ...object, apiVersion: wanted, spec: { b: 1 } };
      },
      () => {
        runs += 1;
        const kind = kindWith({ conversion });
        return [convertCustom(kind, object, "example.com/v2"), convertCustom(kind, object, "example.com/v2")];
      },
    );
    expect(both.map(({ spec }) => spec)).toEqual([{ b: 1 }, { b: 1 }]);
    expect({ asked, runs }).toEqual({ asked: ["example.com/v2"], runs: 2 });
  });

  it("is only named anew where nobody converts it", () => {
    expect(convertCustom(kindWith({}), object, "example.com/v2")).toEqual({ ...object, apiVersion: "example.com/v2" });
  });

  it("is refused in a version that the definition does not have", () => {
    const message = "request to convert CR to an invalid group/version: example.com/v9";
    expect(() => convertCustom(kindWith({}), object, "example.com/v9")).toThrow(message);
  });

  it("fails as the webhook does", async () => {
    const failed = whenConverted(
      () => Promise.reject(new Error("no")),
      () => convertCustom(kindWith({ conversion }), object, "example.com/v2"),
    );
    await expect(failed).rejects.toThrow("no");
  });
});
