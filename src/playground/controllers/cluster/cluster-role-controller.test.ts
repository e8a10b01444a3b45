import { expect, it } from "vitest";
import type { ClusterRole } from "#api/kubernetes/gen/types";
import { gatheredRules } from "./cluster-role-controller.ts";

const label = "rbac.authorization.k8s.io/aggregate-to-view";
const role = (name: string, resource: string, labels: Record<string, string> = { [label]: "true" }): ClusterRole => ({
  metadata: { name, labels },
  rules: [{ apiGroups: [""], resources: [resource], verbs: ["get"] }],
});

it("gathers the rules of labelled roles by their names, each once and never its own", () => {
  const view: ClusterRole = {
    metadata: { name: "view", labels: { [label]: "true" } },
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [label]: "true" } }] },
    rules: [{ apiGroups: [""], resources: ["old"], verbs: ["get"] }],
  };
  const all = [role("b", "pods"), view, role("c", "pods"), role("a", "services"), role("d", "secrets", {})];
  expect(gatheredRules(view, all).map(({ resources }) => resources)).toEqual([["services"], ["pods"]]);
});
