// Server-side apply by several managers: conflicts, force, shared fields, removals, mixes with other writes.
import { apiVersionOf, builtin, type PatchType, type SequenceBuilder, type TemplateKind } from "../generate/builder.ts";
import type { JsonMap } from "../step.ts";
import { APPLIED } from "./apply-bodies.ts";
import type { Area } from "./area.ts";

const MANAGERS = ["m1", "m2", "m3", "kubectl"];
/** Written by `kubectl apply` without the server's help; an apply of the manager kubectl takes over what it names. */
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

export const apply: Area = {
  name: "apply",
  held: true,
  weight: 12,
  make(builder) {
    const { random } = builder;
    builder.namespace();
    const { group, kind: name, bodies } = random.pick(APPLIED);
    const kind = builtin(group, name);
    if (random.chance(0.3)) builder.create(kind, "a");
    const turns = 4 + random.int(8);
    for (let i = 0; i < turns; i++) {
      if (random.chance(0.75)) applyOnce(builder, kind, random.pick(bodies));
      else other(builder, kind, random.pick(bodies));
    }
    builder.get(kind, "a");
  },
};

function applyOnce(builder: SequenceBuilder, kind: TemplateKind, body: JsonMap): void {
  const { random } = builder;
  const { metadata: given = {}, ...rest } = body;
  const named = random.chance(0.7) ? { name: "a" } : {};
  const metadata = typeof given === "object" && given !== null ? { ...named, ...(given as JsonMap) } : given;
  const whole: JsonMap = { apiVersion: apiVersionOf(kind), kind: kind.kind, ...rest, metadata };
  const query = {
    fieldManager: random.chance(0.95) ? random.pick(MANAGERS) : undefined,
    force: random.pick([undefined, undefined, "true", "false"]),
    dryRun: random.chance(0.1) ? "All" : undefined,
    fieldValidation: random.pick([undefined, undefined, "Strict", "Ignore"]),
  };
  const subresource = random.chance(0.1)
    ? random.pick(kind.subresources.filter((name) => DOORS.has(name)).concat(""))
    : "";
  builder.patch(kind, "a", { type: "apply", body: whole, subresource }, { query });
}

/** Doors that show the object itself. */
const DOORS = new Set(["status"]);

/** Another way of writing what managers own. */
function other(builder: SequenceBuilder, kind: TemplateKind, body: JsonMap): void {
  const { random } = builder;
  const query = { fieldManager: random.pick(["m1", "hand", undefined]) };
  const type = random.pick<PatchType>(["merge", "strategic"]);
  const roll = random.int(10);
  if (roll < 4) builder.patch(kind, "a", { type, body }, { query });
  else if (roll < 7) builder.update(kind, "a", { of: builder.get(kind, "a"), edit: body }, { query });
  else if (roll < 8) builder.patch(kind, "a", { type: "merge", body: random.pick(OWNERS) }, { query });
  else if (roll < 9) {
    const text = JSON.stringify({ apiVersion: apiVersionOf(kind), kind: kind.kind, ...body });
    builder.patch(
      kind,
      "a",
      { type: "merge", body: { metadata: { annotations: { [LAST_APPLIED]: text } } } },
      { query },
    );
  } else builder.delete(kind, "a");
}

const entry = (more: JsonMap): JsonMap => ({
  manager: "edited",
  operation: "Update",
  apiVersion: "v1",
  time: "2026-01-01T00:00:00Z",
  fieldsType: "FieldsV1",
  fieldsV1: { "f:metadata": { "f:labels": { "f:app": {} } }, "f:data": { ".": {}, "f:key": {} } },
  ...more,
});

/** What clients may write into managedFields themselves. */
const OWNERS: readonly JsonMap[] = [
  [],
  [{}],
  [entry({})],
  [entry({ operation: "Apply", manager: "m1" })],
  [entry({}), entry({ manager: "second", subresource: "status" })],
  [entry({ apiVersion: "nowhere.example.com/v1" })],
  [entry({ operation: "Own" })],
  [entry({ fieldsType: "FieldsV2" })],
  [entry({ apiVersion: "" })],
  null,
].map((managedFields) => ({ metadata: { managedFields } }));
