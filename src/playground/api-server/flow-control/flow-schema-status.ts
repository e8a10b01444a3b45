// What Kubernetes' own server says of FlowSchemas: whether there is the priority level that they name.
import { type EngineParts, timestamp } from "../api-context.ts";
import { SERVER } from "../bootstrap-objects.ts";
import type { JsonObject } from "../contract.ts";
import { objectsAt, stringAt } from "../json.ts";
import { applyObject } from "../operations/apply-object.ts";
import { FLOW_GROUP, FLOW_SCHEMAS, PRIORITY_LEVELS } from "./flow-classifier.ts";

const MANAGER = "api-priority-and-fairness-config-consumer-v1";

/** From now on; ends when the returned function is called. */
export function watchFlowSchemas(parts: EngineParts): () => void {
  const own = { ...parts, admission: [] };
  const settle = (schema: JsonObject) => {
    // Whoever wrote gets the answer first.
    queueMicrotask(() => void tell(own, stringAt(schema, "metadata", "name")));
  };
  const ends = [
    parts.store.subscribe(({ type, object }) => {
      if (type !== "DELETED") settle(object);
    }, FLOW_SCHEMAS),
    parts.store.subscribe(({ type }) => {
      if (type !== "MODIFIED") for (const schema of parts.store.list(FLOW_SCHEMAS)) settle(schema);
    }, PRIORITY_LEVELS),
  ];
  return () => {
    for (const end of ends) end();
  };
}

/** Applies the condition unless the schema has it. One that is gone by now needs none. */
async function tell(parts: EngineParts, name: string): Promise<void> {
  const schema = parts.store.get(FLOW_SCHEMAS, "", name);
  const kind = parts.registry.storageKind(FLOW_GROUP, "flowschemas");
  if (schema === undefined || kind === undefined) return;
  const wanted = condition(parts, stringAt(schema, "spec", "priorityLevelConfiguration", "name"));
  const known = objectsAt(schema, "status", "conditions").find(({ type }) => type === "Dangling");
  if (["status", "reason", "message"].every((field) => known?.[field] === wanted[field])) return;
  const lastTransitionTime = timestamp(parts.now());
  const body = {
    apiVersion: `${FLOW_GROUP}/v1`,
    kind: "FlowSchema",
    metadata: { name },
    status: { conditions: [{ ...wanted, lastTransitionTime }] },
  };
  const target = { namespace: "", name, subresource: "status" };
  const context = { ...SERVER, fieldManager: MANAGER, warnings: [] };
  try {
    await applyObject(parts, kind, { target, body, context, force: true });
  } catch {
    // Gone, or changed five times meanwhile: its next event brings another try.
  }
}

function condition(parts: EngineParts, level: string): JsonObject {
  const exists = parts.store.get(PRIORITY_LEVELS, "", level) !== undefined;
  const names = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)}`;
  return {
    type: "Dangling",
    status: exists ? "False" : "True",
    reason: exists ? "Found" : "NotFound",
    message: exists ? `${names} and it exists` : `${names} but there is no such object`,
  };
}
