import { describe, expect, it } from "vitest";
import type { JsonObject } from "../contract.ts";
import { createRegistry } from "../registry.ts";
import { createObjectStore } from "../store/object-store.ts";
import { buildTable, type IncludeObject } from "../tables/build-table.ts";
import { listPieces, type OutputForm } from "./output-form.ts";
import { joined } from "./respond.ts";

const services = createRegistry().find("", "v1", "services");
if (services === undefined) throw new Error("no services");
const kind = services;

const META = "meta.k8s.io/v1";

const service = (name: string): JsonObject => ({
  metadata: { name, namespace: "a", creationTimestamp: "2026-01-01T00:00:00Z", annotations: { text: "ä\n" } },
  spec: { type: "ClusterIP", clusterIP: "10.0.0.1", ports: [{ port: 80, protocol: "TCP" }] },
});

/** In all orders of names that clients send. */
function storeOfServices() {
  const store = createObjectStore();
  store.commit("/services", "ADDED", { apiVersion: "v1", kind: "Service", ...service("x") });
  store.commit("/services", "ADDED", { kind: "Service", apiVersion: "v1", ...service("y") });
  store.commit("/services", "ADDED", { ...service("z"), apiVersion: "v1", kind: "Service" });
  return store;
}

function shown(form: OutputForm): unknown {
  const store = storeOfServices();
  const pieces = listPieces(kind, form, store.stored("/services"), { resourceVersion: "7" });
  const length = pieces.reduce((sum, piece) => sum + ("bytes" in piece ? piece.end - piece.start : piece.length), 0);
  return JSON.parse(joined(pieces, length).toString());
}

describe("listPieces", () => {
  const objects = storeOfServices().list("/services");

  it("gives a list of the objects without the names that the list says", () => {
    const versions = (list: unknown) =>
      JSON.parse(JSON.stringify(list, (key, value) => (key === "resourceVersion" ? "" : value)));
    expect(
      versions(shown({ kind: "object", include: "Metadata", apiVersion: META, written: "application/json" })),
    ).toEqual(
      versions({
        kind: "ServiceList",
        apiVersion: "v1",
        metadata: { resourceVersion: "7" },
        items: objects.map(({ apiVersion: _, kind: _k, ...rest }) => rest),
      }),
    );
  });

  it("gives the table that its rows built together would be", () => {
    for (const include of ["Metadata", "Object", "None"] satisfies IncludeObject[]) {
      const table = shown({ kind: "table", include, apiVersion: META, written: "application/json" }) as JsonObject;
      const whole = {
        ...buildTable(kind, objects, { include, columns: true, apiVersion: META }),
        metadata: { resourceVersion: "7" },
      };
      const text = (value: JsonObject) => JSON.stringify(value).replaceAll(/"resourceVersion":"\d+"/g, "");
      expect(text(table)).toBe(text(whole));
    }
  });
});
