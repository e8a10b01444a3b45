// What a real API server 1.35.4 answers when a policy refuses.
import { beforeEach, describe, expect, it } from "vitest";
import { type MemoryObjects, memoryObjects } from "../../../../tests/kit/memory-objects.ts";
import type { AdmissionAttributes, JsonObject } from "../contract.ts";
import { createRegistry } from "../registry.ts";
import { validatingPolicies } from "./validating-policies.ts";

let objects: MemoryObjects;
let warnings: string[];

beforeEach(() => {
  objects = memoryObjects();
  warnings = [];
});

const GROUP = "admissionregistration.k8s.io";

function policy(name: string, spec: JsonObject): void {
  const rule = { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["configmaps"] };
  const body = { matchConstraints: { resourceRules: [rule] }, failurePolicy: "Fail", ...spec };
  put("ValidatingAdmissionPolicy", { metadata: { name }, spec: body });
}

function binding(name: string, policyName: string, more: JsonObject = {}): void {
  const spec = { policyName, validationActions: ["Deny"], ...more };
  put("ValidatingAdmissionPolicyBinding", { metadata: { name }, spec });
}

const PLURALS: Readonly<Record<string, string>> = {
  ValidatingAdmissionPolicy: "validatingadmissionpolicies",
  ValidatingAdmissionPolicyBinding: "validatingadmissionpolicybindings",
};

function put(kind: string, body: JsonObject): void {
  objects.put(GROUP, PLURALS[kind] ?? "", { apiVersion: `${GROUP}/v1`, kind, ...body });
}

function configMap(data: JsonObject, metadata: JsonObject = {}): AdmissionAttributes {
  return {
    operation: "CREATE",
    group: "",
    version: "v1",
    kind: "ConfigMap",
    resource: "configmaps",
    subresource: "",
    namespace: "default",
    name: "c1",
    user: { username: "alice", groups: ["dev"] },
    dryRun: false,
    object: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c1", ...metadata }, data },
    oldObject: undefined,
    warn: (text) => void warnings.push(text),
  };
}

const authorizer = { authorize: () => ({ allowed: true, reason: "" }) };

const admit = (attributes: AdmissionAttributes) =>
  validatingPolicies({ objects, authorizer, registry: createRegistry() }).admit(attributes);

describe("a policy in force", () => {
  beforeEach(() => {
    policy("p1", {
      matchConditions: [
        { name: "x", expression: '!has(object.metadata.labels) || object.metadata.labels.skip != "y"' },
      ],
      variables: [{ name: "size", expression: "object.data.size()" }],
      validations: [
        { expression: 'object.data.a == "1"', message: "a must be 1" },
        {
          expression: "variables.size < 3",
          messageExpression: '"too many: " + string(variables.size)',
          reason: "Forbidden",
        },
        { expression: '!("z" in object.data)' },
      ],
    });
    binding("b1", "p1");
  });

  const prefix = "configmaps \"c1\" is forbidden: ValidatingAdmissionPolicy 'p1' with binding 'b1' denied request: ";

  it.each([
    [{ a: "2" }, 422, "Invalid", "a must be 1"],
    [{ a: "1", b: "", c: "" }, 403, "Forbidden", "too many: 3"],
    [{ a: "1", z: "" }, 422, "Invalid", 'failed expression: !("z" in object.data)'],
    [{ b: "1" }, 422, "Invalid", "expression 'object.data.a == \"1\"' resulted in error: no such key: a"],
  ])("refuses %j", async (data, code, reason, why) => {
    await expect(admit(configMap(data))).rejects.toMatchObject({
      code,
      reason,
      message: prefix + why,
      details: {
        name: "c1",
        kind: "configmaps",
        causes: [{ message: prefix.slice(prefix.indexOf("Validating")) + why }],
      },
    });
  });

  it("lets through what keeps to it, and what its conditions leave out", async () => {
    await expect(admit(configMap({ a: "1" }))).resolves.toBeDefined();
    await expect(admit(configMap({ a: "2" }, { labels: { skip: "y" } }))).resolves.toBeDefined();
  });

  it("only warns when its binding says so", async () => {
    binding("b1", "p1", { validationActions: ["Warn"] });
    await expect(admit(configMap({ a: "2" }))).resolves.toBeDefined();
    expect(warnings).toEqual(["Validation failed for ValidatingAdmissionPolicy 'p1' with binding 'b1': a must be 1"]);
  });
});

describe("parameters", () => {
  beforeEach(() => {
    policy("p2", {
      paramKind: { apiVersion: "v1", kind: "ConfigMap" },
      validations: [{ expression: "object.data.max == params.data.max" }],
    });
    binding("b2", "p2", { paramRef: { name: "par", namespace: "kube-system", parameterNotFoundAction: "Deny" } });
  });

  it("that are missing refuse", async () => {
    await expect(admit(configMap({ max: "3" }))).rejects.toThrow(
      "denied request: failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction",
    );
  });

  it("are what expressions read", async () => {
    objects.put("", "configmaps", {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "par", namespace: "kube-system" },
      data: { max: "3" },
    });
    await expect(admit(configMap({ max: "3" }))).resolves.toBeDefined();
    await expect(admit(configMap({ max: "4" }))).rejects.toThrow(
      "failed expression: object.data.max == params.data.max",
    );
  });
});
