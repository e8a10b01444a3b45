// Any order of the events of several clusters must end in one snapshot: the one of a control plane that starts at the end.
import fc from "fast-check";
import { expect, it } from "vitest";
import { FakeMesh } from "../kit/fake-mesh.ts";
import { CLUSTERS, FIRST_OBJECTS, type MeshEvent, meshEvent } from "./mesh-arbitrary.ts";

const empty = () =>
  new FakeMesh({ own: "c1", clusters: Object.fromEntries(CLUSTERS.map((name) => [name, FIRST_OBJECTS])) });

function apply(mesh: FakeMesh, { cluster, action, object }: MeshEvent): void {
  const client = mesh.client(cluster);
  if (action === "put") client.put(object);
  else client.remove(object);
}

it("ends in one snapshot, whatever the order between clusters", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(meshEvent, fc.boolean()), { maxLength: 30, size: "max" }),
      fc.infiniteStream(fc.nat()),
      async (events, choices) => {
        const [live, late] = [empty(), empty()];
        try {
          // One mesh sees the events as they come, with pauses; the other reads the end state of each cluster.
          await live.start();
          for (const [event, pause] of events) {
            apply(live, event);
            if (pause) await new Promise((resolve) => setTimeout(resolve, choices.next().value % 2));
          }
          const byCluster = CLUSTERS.map((name) => events.filter(([{ cluster }]) => cluster === name));
          for (const [event] of byCluster.reverse().flat()) apply(late, event);
          const { generation: _late, ...expected } = await late.start();
          await new Promise((resolve) => setTimeout(resolve, 10));
          const { generation: _live, ...found } = live.store.current;
          expect(found).toEqual(expected);
        } finally {
          live.stop();
          late.stop();
        }
      },
    ),
    { numRuns: 40 },
  );
}, 60_000);
