// One scenario on one engine, to its end; and what the end is compared with.
import { Kinds } from "../../../src/api/kinds.ts";
import { until } from "../../../src/base/until.ts";
import { isNotFound } from "../../../src/kube/kube-client.ts";
import type { Engine } from "./engines.ts";
import { readNormalForm } from "./normal-form.ts";
import { createWorld, type Scenario } from "./world.ts";

export interface Outcome {
  readonly text: string;
  readonly objects: number;
  readonly events: number;
}

/** A look lists every kind of the namespace: often enough, and no load of its own. */
const LOOK_MS = 700;
/** An engine that shows nothing new for so long has come to its end. */
const QUIET_MS = 2_500;
const PATIENCE_MS = 60_000;

/** Runs the scenario in its namespace, which must not exist yet. */
export async function play({ client, nodes }: Engine, scenario: Scenario): Promise<void> {
  const namespace = scenario.name;
  await client.create(Kinds.Namespace, { metadata: { name: namespace } });
  await until(
    async () => {
      try {
        await client.get(Kinds.ConfigMap, { namespace, name: "kube-root-ca.crt" });
        return await client.get(Kinds.ServiceAccount, { namespace, name: "default" });
      } catch (thrown) {
        if (isNotFound(thrown)) return undefined;
        throw thrown;
      }
    },
    { reason: `namespace ${namespace} has its service account`, timeoutMs: 60_000 },
  );
  await scenario.run(createWorld(client, nodes, namespace));
}

/**
 * Looks until it reads `wanted` twice in a row, for a minute: a busy machine may pause anywhere. Without `wanted`, what
 * it has come to when nothing changes any more.
 */
export async function outcomeOf({ client }: Engine, scenario: Scenario, wanted?: string): Promise<Outcome> {
  let last = await readNormalForm(client, scenario);
  let quietSince = Date.now();
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    const next = await readNormalForm(client, scenario);
    if (next.text !== last.text) quietSince = Date.now();
    else if (next.text === wanted) return next;
    last = next;
    const quiet = wanted === undefined && Date.now() - quietSince > QUIET_MS;
    if (quiet || Date.now() > end) return next;
  }
}
