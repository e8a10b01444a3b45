import { expect, test } from "vitest";
import { evaluatorOf } from "../../api-server/admission/quota/evaluators.ts";
import { writeResources } from "../../api-server/amounts/resource-list.ts";
import type { JsonObject } from "../../api-server/contract.ts";
import { type CountedKind, usageOf } from "./quota-usage.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");

const kind = (resource: string, objects: readonly JsonObject[], group = ""): CountedKind => {
  const evaluator = evaluatorOf(group, resource);
  if (evaluator === undefined) throw new Error(`${resource} is not counted`);
  return { evaluator, objects: () => objects };
};

const pod = (requests: JsonObject, more: JsonObject = {}): JsonObject => ({
  metadata: { name: "p" },
  spec: { containers: [{ name: "c", resources: { requests } }] },
  ...more,
});

const used = (spec: JsonObject, kinds: readonly CountedKind[], before: JsonObject = {}) =>
  writeResources(usageOf({ spec, status: { used: before } }, kinds, NOW));

test("counts pods that have not ended, and all of them by count/pods", () => {
  const pods = kind("pods", [
    pod({ cpu: "100m", memory: "1Gi" }),
    pod({ cpu: "1" }),
    pod({ cpu: "5" }, { status: { phase: "Succeeded" } }),
    pod({ cpu: "7" }, { metadata: { deletionTimestamp: "2025-12-31T00:00:00Z", deletionGracePeriodSeconds: 30 } }),
  ]);
  const hard = { pods: "9", "count/pods": "9", "requests.cpu": "9", memory: "9Gi" };
  expect(used({ hard }, [pods])).toEqual({ pods: "2", "count/pods": "4", "requests.cpu": "1100m", memory: "1Gi" });
});

test("counts in scope only, and keeps what nobody can count", () => {
  const pods = kind("pods", [
    pod({ cpu: "1" }),
    pod({}),
    pod({}, { spec: { activeDeadlineSeconds: 5, containers: [] } }),
  ]);
  expect(used({ hard: { pods: "1" }, scopes: ["BestEffort"] }, [pods])).toEqual({ pods: "2" });
  expect(used({ hard: { pods: "1" }, scopes: ["BestEffort", "Terminating"] }, [pods])).toEqual({ pods: "1" });
  expect(used({ hard: { "count/own": "4" } }, [pods], { "count/own": "3", gone: "1" })).toEqual({ "count/own": "3" });
});

test("counts node ports, claims by class, and objects of any kind", () => {
  const services = kind("services", [
    { spec: { type: "LoadBalancer", ports: [{}, {}] } },
    { spec: { type: "LoadBalancer", allocateLoadBalancerNodePorts: false, ports: [{ nodePort: 30_001 }, {}] } },
    { spec: { type: "ClusterIP", ports: [{}] } },
  ]);
  const claims = kind("persistentvolumeclaims", [
    { spec: { storageClassName: "gold", resources: { requests: { storage: "1500m" } } } },
    { spec: { resources: { requests: { storage: "1Gi" } } } },
  ]);
  const hard = { "services.nodeports": "1", "services.loadbalancers": "1" };
  expect(used({ hard }, [services])).toEqual({ "services.nodeports": "3", "services.loadbalancers": "2" });
  const name = "gold.storageclass.storage.k8s.io/requests.storage";
  expect(used({ hard: { [name]: "5", persistentvolumeclaims: "9" } }, [claims])).toEqual({
    [name]: "2",
    persistentvolumeclaims: "2",
  });
  expect(used({ hard: { "count/jobs.batch": "1" } }, [kind("jobs", [{}, {}], "batch")])).toEqual({
    "count/jobs.batch": "2",
  });
});
