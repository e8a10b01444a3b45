// ComponentStatus, which nobody stores: the parts of a control plane and how they are.
import { notFound } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { buildTable } from "../tables/build-table.ts";
import { type Call, reply } from "./call.ts";
import { sendJson } from "./respond.ts";

export const COMPONENTS = "/componentstatuses";

/** Here they are one program: whoever gets an answer has seen that it is well. */
const NAMES = ["scheduler", "controller-manager", "etcd-0"];

const statusOf = (name: string): JsonObject => ({
  kind: "ComponentStatus",
  apiVersion: "v1",
  metadata: { name },
  conditions: [{ type: "Healthy", status: "True", message: "ok" }],
});

export async function serveComponents(call: Call): Promise<void> {
  const { kind, form, response, target } = call;
  if (target.name !== "") {
    if (!NAMES.includes(target.name)) throw notFound({ group: "", plural: "componentstatus" }, target.name);
    return reply(call, statusOf(target.name));
  }
  const items = NAMES.map(statusOf);
  if (form.kind === "table")
    sendJson(response, { ...buildTable(kind, items, { ...form, columns: true }), metadata: {} });
  else sendJson(response, { kind: kind.listKind, apiVersion: "v1", metadata: {}, items });
}
