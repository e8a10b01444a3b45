import { rbac, reviews, tokens } from "./access.ts";
import { admission } from "./admission.ts";
import { apply } from "./apply.ts";
import type { Area } from "./area.ts";
import { crds } from "./crds.ts";
import { deletes } from "./deletes.ts";
import { discovery } from "./discovery.ts";
import { fields } from "./fields.ts";
import { flows } from "./flows.ts";
import { lists } from "./lists.ts";
import { objects } from "./objects.ts";
import { protocol } from "./protocol.ts";
import { subresources } from "./subresources.ts";
import { validation } from "./validation.ts";
import { watches } from "./watches.ts";
import { webhooks } from "./webhooks.ts";

export const AREAS: readonly Area[] = [
  objects,
  validation,
  apply,
  lists,
  watches,
  deletes,
  subresources,
  rbac,
  crds,
  webhooks,
  admission,
  tokens,
  reviews,
  protocol,
  flows,
  discovery,
  fields,
];

/** The areas of these names; throws for an unknown one. */
export function areasNamed(names: readonly string[]): readonly Area[] {
  return names.map((name) => {
    const found = AREAS.find((area) => area.name === name);
    if (found === undefined) throw new Error(`no area ${name}; there are ${AREAS.map((area) => area.name).join(", ")}`);
    return found;
  });
}
