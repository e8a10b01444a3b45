// Any field that a kind's schema knows, at any depth, with whatever: new objects, patches and whole updates. It asks
// wider than the areas that count, and finds what to mend next: `npm run differential -- --only fields`.
import { anyField, replaced } from "../generate/any-field.ts";
import {
  apiVersionOf,
  FREE_KINDS,
  type PatchType,
  type SequenceBuilder,
  type TemplateKind,
} from "../generate/builder.ts";
import type { JsonMap } from "../step.ts";
import type { Area } from "./area.ts";

export const fields: Area = {
  name: "fields",
  weight: 0,
  make(builder) {
    const { random } = builder;
    const kind = random.pick(FREE_KINDS);
    if (kind.namespaced) builder.namespace();
    const turns = 4 + random.int(6);
    let last = builder.create(kind, builder.name(kind));
    for (let i = 0; i < turns; i++) {
      const roll = random.int(4);
      if (roll < 2) create(builder, kind);
      else last = (roll === 2 ? patch : replace)(builder, kind, last);
    }
  },
};

function create(builder: SequenceBuilder, kind: TemplateKind): void {
  const { random } = builder;
  const name = builder.name(kind);
  const object = builder.object(kind, name);
  const { path, value } = anyField(random, object, kind.definition);
  const query = {
    dryRun: random.pick([undefined, "All"]),
    fieldValidation: random.pick([undefined, "Strict", "Ignore"]),
  };
  builder.create(kind, name, { body: { json: replaced(object, path, value) }, query });
}

function patch(builder: SequenceBuilder, kind: TemplateKind, last: number): number {
  const { random } = builder;
  const { path, value } = anyField(random, builder.object(kind, "a"), kind.definition);
  const steps = path.map((step) => step.replaceAll("~", "~0").replaceAll("/", "~1"));
  const name = `{{${last}:metadata.name}}`;
  const isInList = path.some((step) => /^\d+$/.test(step));
  if (isInList || random.chance(0.5)) {
    const op = random.pick(["add", "replace", "replace", "remove"]);
    return builder.patch(kind, name, { type: "json", body: [{ op, path: `/${steps.join("/")}`, value }] });
  }
  const type = random.pick<PatchType>(["merge", "strategic", "apply"]);
  const applied = type === "apply" ? { apiVersion: apiVersionOf(kind), kind: kind.kind } : {};
  const query = type === "apply" ? { fieldManager: "m1", force: random.pick(["true", undefined]) } : {};
  const body = { ...applied, ...(replaced({}, path, value) as JsonMap) };
  return builder.patch(kind, name, { type, body }, { query });
}

function replace(builder: SequenceBuilder, kind: TemplateKind, last: number): number {
  const { random } = builder;
  const name = `{{${last}:metadata.name}}`;
  const version = random.chance(0.8) ? { resourceVersion: `{{${last}:metadata.resourceVersion}}` } : {};
  const object = builder.object(kind, name, { metadata: version });
  const { path, value } = anyField(random, object, kind.definition);
  return builder.replace(kind, name, random.chance(0.5) ? object : (replaced(object, path, value) as JsonMap));
}
