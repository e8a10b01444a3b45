// Keeps the FlowSchemas and PriorityLevelConfigurations of a new cluster as Kubernetes' own server does, once a minute:
// what is gone comes back; what must be there (`exempt`, `catch-all`) keeps its spec; the others keep theirs while their
// annotation says so; what earlier releases left under that annotation goes.
import type { Logger } from "#base/logger";
import { errorMessage } from "#base/mesh-error";
import type { EngineParts } from "../api-context.ts";
import { ensureObjects, SERVER } from "../bootstrap-objects.ts";
import type { JsonObject } from "../contract.ts";
import { deepEqual, numberAt, objectAt, stringAt } from "../json.ts";
import { removeObject } from "../operations/remove-object.ts";
import { updateObject } from "../operations/update-object.ts";
import { type ResourceKind, storageKey } from "../resource-kind.ts";
import { FLOW_GROUP, MANDATORY } from "./flow-classifier.ts";

const PERIOD_MS = 60_000;
const ANNOTATION = "apf.kubernetes.io/autoupdate-spec";
const MANAGER = "api-priority-and-fairness-config-producer-v1";

/** Until the signal aborts. Of `born`, the objects of other groups are nobody's business here. */
export function keepFlowConfiguration(
  parts: EngineParts,
  born: readonly JsonObject[],
  { logger, signal }: { readonly logger: Logger; readonly signal: AbortSignal },
): void {
  const keep = async () => {
    try {
      await restoreFlowConfiguration(parts, born);
    } catch (thrown) {
      // Somebody wrote at the same time, as a rule: the next turn looks again.
      logger.warn({ error: errorMessage(thrown) }, "flow configuration not restored");
    }
  };
  const timer = setInterval(() => void keep(), PERIOD_MS);
  timer.unref();
  if (signal.aborted) clearInterval(timer);
  else signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}

/** One turn. */
export async function restoreFlowConfiguration(parts: EngineParts, born: readonly JsonObject[]): Promise<void> {
  const wanted = born.filter((object) => stringAt(object, "apiVersion").startsWith(`${FLOW_GROUP}/`));
  await ensureObjects(parts, wanted);
  for (const resource of ["prioritylevelconfigurations", "flowschemas"]) {
    const kind = parts.registry.storageKind(FLOW_GROUP, resource);
    if (kind === undefined) continue;
    const ofKind = wanted.filter((object) => object["kind"] === kind.kind);
    for (const object of ofKind) await restore(parts, kind, object);
    const names = new Set(ofKind.map(nameOf));
    for (const object of parts.store.list(storageKey(kind))) {
      if (!names.has(nameOf(object)) && annotated(object) === true)
        removeObject({ ...parts, admission: [] }, kind, structuredClone(object));
    }
  }
}

const nameOf = (object: JsonObject) => stringAt(object, "metadata", "name");

/** What Go reads as a boolean. */
const BOOLEANS: Readonly<Record<string, boolean>> = Object.fromEntries([
  ...["1", "t", "T", "true", "TRUE", "True"].map((text) => [text, true] as const),
  ...["0", "f", "F", "false", "FALSE", "False"].map((text) => [text, false] as const),
]);

const annotated = (object: JsonObject): boolean | undefined =>
  BOOLEANS[stringAt(object, "metadata", "annotations", ANNOTATION)];

async function restore(parts: EngineParts, kind: ResourceKind, born: JsonObject): Promise<void> {
  const name = nameOf(born);
  const current = parts.store.get(storageKey(kind), "", name);
  if (current === undefined) return;
  const untouched = numberAt(current, "metadata", "generation") === 1;
  const ours = MANDATORY.has(name) || (annotated(current) ?? untouched);
  const spec = ours ? born["spec"] : current["spec"];
  if (annotated(current) === ours && deepEqual(spec, current["spec"])) return;
  const metadata = objectAt(current, "metadata");
  const annotations = { ...objectAt(metadata, "annotations"), [ANNOTATION]: String(ours) };
  await updateObject({ ...parts, admission: [] }, kind, {
    target: { namespace: "", name, subresource: "" },
    body: structuredClone({ ...current, metadata: { ...metadata, annotations }, spec: spec ?? {} }),
    context: { ...SERVER, fieldManager: MANAGER, warnings: [] },
  });
}
