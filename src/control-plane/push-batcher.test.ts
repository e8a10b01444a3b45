import { beforeEach, describe, expect, test } from "vitest";
import { clusterId, hostname, serviceKey } from "#model/ids";
import type { MeshChange } from "#model/mesh-change";
import type { MeshSnapshot } from "#model/mesh-snapshot";
import { ManualClock } from "../../tests/kit/manual-clock.ts";
import { createPushBatcher, type MeshPush, type PushBatcher } from "./push-batcher.ts";

const key = serviceKey("ns", hostname("a.ns.svc.cluster.local"));
const endpoints: MeshChange = { kind: "endpoints", service: key, cluster: clusterId("c1"), identitiesChanged: false };
const service: MeshChange = { kind: "service", service: key };
let clock: ManualClock;
let emitted: MeshPush[];
let batcher: PushBatcher;
let generation = 0;

function make(debounceEndpoints: boolean): PushBatcher {
  return createPushBatcher({ clock, quietMs: 100, maxMs: 1000, debounceEndpoints, emit: (push) => emitted.push(push) });
}

function push(...changes: MeshChange[]): MeshPush {
  generation += 1;
  return { changes, snapshot: { generation } as MeshSnapshot, observedAt: clock.now() };
}

beforeEach(() => {
  clock = new ManualClock();
  emitted = [];
  batcher = make(false);
});

describe("batches", () => {
  test("endpoints alone leave at once, those close behind are gathered into one", () => {
    batcher.add(push(endpoints));
    expect(emitted).toHaveLength(1);
    clock.advance(10);
    batcher.add(push(endpoints));
    clock.advance(50);
    batcher.add(push(endpoints));
    expect(emitted).toHaveLength(1);
    clock.advance(100);
    expect(emitted).toHaveLength(2);
    expect(emitted[1]?.changes).toHaveLength(1);
    clock.advance(100);
    batcher.add(push(endpoints));
    expect(emitted).toHaveLength(3);
  });

  test.each([
    ["a service", [service]],
    ["endpoints whose identities changed", [{ ...endpoints, identitiesChanged: true }]],
    ["endpoints with a service", [endpoints, service]],
  ])("%s wait for quiet", (_, changes) => {
    batcher.add(push(...changes));
    expect(emitted).toHaveLength(0);
    clock.advance(100);
    expect(emitted).toHaveLength(1);
  });

  test("endpoints never overtake what waits", () => {
    batcher.add(push(service));
    clock.advance(50);
    batcher.add(push(endpoints));
    expect(emitted).toHaveLength(0);
    clock.advance(100);
    expect(emitted.map(({ changes }) => changes.length)).toEqual([2]);
  });

  test("a batch tells of its first fact's time and its last snapshot, and leaves in the end though it is never quiet", () => {
    const start = clock.now();
    for (let at = 0; at < 1000; at += 50) {
      batcher.add(push(service));
      clock.advance(50);
    }
    expect(emitted).toHaveLength(1);
    expect(emitted[0]).toMatchObject({ observedAt: start, snapshot: { generation } });
  });

  test("endpoints wait too where that is asked for", () => {
    batcher = make(true);
    batcher.add(push(endpoints));
    expect(emitted).toHaveLength(0);
    clock.advance(100);
    expect(emitted).toHaveLength(1);
  });
});
