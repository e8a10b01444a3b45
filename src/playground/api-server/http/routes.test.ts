import { describe, expect, it } from "vitest";
import type { ApiRequest } from "../contract.ts";
import { createRegistry } from "../registry.ts";
import { parseRequest } from "./request-info.ts";
import { checkRoute } from "./routes.ts";

const kind = createRegistry().find("", "v1", "configmaps");
if (kind === undefined) throw new Error("no configmaps");
const configMaps = kind;

function check(url: string): void {
  const request = { method: "GET", url, headers: { accept: "application/json" } } as unknown as ApiRequest;
  checkRoute(configMaps, parseRequest("GET", url).info, request);
}

describe("checkRoute", () => {
  it("takes one name out of all namespaces by a field selector, and none by the path", () => {
    expect(() => check("/api/v1/configmaps?fieldSelector=metadata.name%3Da")).not.toThrow();
    expect(() => check("/api/v1/configmaps?watch=true&fieldSelector=metadata.name%3Da")).not.toThrow();
    expect(() => check("/api/v1/configmaps/a")).toThrow(/could not find/);
  });
});
