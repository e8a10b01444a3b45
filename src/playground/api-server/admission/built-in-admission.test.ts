// The built-in plug-ins that look at other objects: quotas, limits, pod security, classes, certificates.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { silentLogger } from "#base/logger";
import { type ClusterPki, clusterPki } from "../../../../tests/kit/cluster-pki.ts";
import { type MemoryObjects, memoryObjects } from "../../../../tests/kit/memory-objects.ts";
import type { AdmissionAttributes, AdmissionPlugin, JsonObject } from "../contract.ts";
import { createRegistry } from "../registry.ts";
import { createAdmission } from "./create-admission.ts";

let pki: ClusterPki;
let objects: MemoryObjects;
let plugins: AdmissionPlugin[];
let warnings: string[];
/** Signers that the user may speak for. */
let signers: string[];

beforeAll(async () => {
  pki = await clusterPki();
});
afterAll(() => pki?.remove());

beforeEach(() => {
  objects = memoryObjects();
  warnings = [];
  signers = [];
  const authorizer = {
    authorize: (_user: unknown, { name }: { name: string }) => ({ allowed: signers.includes(name), reason: "" }),
  };
  const registry = createRegistry();
  plugins = createAdmission({ config: pki.config, objects, authorizer, registry, logger: silentLogger() });
  objects.put("", "namespaces", { metadata: { name: "default" } });
  objects.put("", "serviceaccounts", { metadata: { name: "default", namespace: "default" } });
});

function attributes(
  resource: string,
  object: JsonObject,
  more: Partial<AdmissionAttributes> = {},
): AdmissionAttributes {
  const { name = "a" } = (object["metadata"] ?? {}) as { name?: string };
  return {
    operation: "CREATE",
    group: "",
    version: "v1",
    kind: "Any",
    resource,
    subresource: "",
    namespace: "default",
    name,
    user: { username: "alice", groups: [] },
    dryRun: false,
    object,
    oldObject: undefined,
    warn: (text) => void warnings.push(text),
    ...more,
  };
}

async function admit(first: AdmissionAttributes): Promise<JsonObject | undefined> {
  let { object } = first;
  for (const judges of [false, true]) {
    for (const plugin of plugins.filter((one) => (one.judges === true) === judges)) {
      object = (await plugin.admit({ ...first, object })) ?? object;
    }
  }
  return object;
}

const refusal = (first: AdmissionAttributes) =>
  admit(first).then(
    () => "let in",
    (thrown: Error) => thrown.message,
  );

const pod = (container: JsonObject = {}, spec: JsonObject = {}): JsonObject => ({
  metadata: { name: "p" },
  spec: { containers: [{ name: "main", image: "x", ...container }], ...spec },
});

describe("a limit range", () => {
  const range = (limit: JsonObject) =>
    objects.put("", "limitranges", { metadata: { name: "r", namespace: "default" }, spec: { limits: [limit] } });

  test("completes containers and says so", async () => {
    range({ type: "Container", default: { cpu: "2", memory: "1Gi" }, defaultRequest: { cpu: "1" } });
    const admitted = await admit(attributes("pods", pod({ resources: { limits: { memory: "2Gi" } } })));
    expect(admitted).toMatchObject({
      metadata: {
        annotations: {
          "kubernetes.io/limit-ranger":
            "LimitRanger plugin set: cpu request for container main; cpu limit for container main",
        },
      },
      spec: { containers: [{ resources: { requests: { cpu: "1" }, limits: { cpu: "2", memory: "2Gi" } } }] },
    });
  });

  test.each([
    [{ type: "Container", max: { cpu: "1" } }, "maximum cpu usage per Container is 1.  No limit is specified"],
    [{ type: "Pod", min: { memory: "1Gi" } }, "minimum memory usage per Pod is 1Gi, but request is 100Mi"],
    [
      { type: "Container", maxLimitRequestRatio: { memory: "1500m" } },
      "memory max limit to request ratio per Container is 1500m, but provided ratio is 3.000000",
    ],
  ])("refuses by %j", async (limit, why) => {
    range(limit);
    const resources = { requests: { memory: "100Mi" }, limits: { memory: "300Mi" } };
    expect(await refusal(attributes("pods", pod({ resources })))).toBe(`pods "p" is forbidden: ${why}`);
  });
});

describe("a quota", () => {
  const quota = (hard: JsonObject, used: JsonObject, spec: JsonObject = {}) =>
    objects.put("", "resourcequotas", {
      metadata: { name: "q", namespace: "default" },
      spec: { hard, ...spec },
      status: { hard, used },
    });
  const used = () => objects.get("", "resourcequotas", "default", "q")?.["status"];

  test("is charged by what is let in, and by nothing in a dry run", async () => {
    const hard = { pods: "3", "requests.cpu": "1" };
    quota(hard, { pods: "1", "requests.cpu": "0" });
    const asking = pod({ resources: { requests: { cpu: "250m" } } });
    await admit(attributes("pods", asking, { dryRun: true }));
    expect(used()).toEqual({ hard, used: { pods: "1", "requests.cpu": "0" } });
    await admit(attributes("pods", asking));
    expect(used()).toEqual({ hard, used: { pods: "2", "requests.cpu": "250m" } });
  });

  test("refuses what is beyond it, what does not say what it needs, and what it has not counted yet", async () => {
    quota({ pods: "1" }, { pods: "1" });
    const title = 'pods "p" is forbidden: ';
    expect(await refusal(attributes("pods", pod()))).toBe(
      `${title}exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1`,
    );
    quota({ "limits.cpu": "1" }, { "limits.cpu": "0" });
    expect(await refusal(attributes("pods", pod()))).toBe(`${title}failed quota: q: must specify limits.cpu for: main`);
    quota({ pods: "1" }, {});
    expect(await refusal(attributes("pods", pod()))).toBe(`${title}status unknown for quota: q, resources: pods`);
  });

  test("of a scope looks at those in it only, and charges an update by what it adds", async () => {
    quota({ pods: "0" }, { pods: "0" }, { scopes: ["Terminating"] });
    expect(await refusal(attributes("pods", pod()))).toBe("let in");
    expect(await refusal(attributes("pods", pod({}, { activeDeadlineSeconds: 5 })))).toContain("exceeded quota");
    quota({ "services.nodeports": "3" }, { "services.nodeports": "1" });
    const service = (type: string): JsonObject => ({ metadata: { name: "s" }, spec: { type, ports: [{}, {}] } });
    const change = { operation: "UPDATE", oldObject: service("ClusterIP") } as const;
    expect(await refusal(attributes("services", service("NodePort"), change))).toBe("let in");
    expect(used()).toMatchObject({ used: { "services.nodeports": "3" } });
  });
});

describe("pod security", () => {
  const labelled = (labels: JsonObject) =>
    objects.put("", "namespaces", {
      metadata: {
        name: "default",
        labels: Object.fromEntries(
          Object.entries(labels).map(([key, value]) => [`pod-security.kubernetes.io/${key}`, value]),
        ),
      },
    });

  test("refuses by the profile that is enforced, and warns by another", async () => {
    labelled({ enforce: "baseline", warn: "restricted", "warn-version": "v1.20" });
    expect(await refusal(attributes("pods", pod({ securityContext: { privileged: true } }, { hostPID: true })))).toBe(
      'pods "p" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostPID=true), privileged (container "main" must not set securityContext.privileged=true)',
    );
    expect(warnings).toEqual([]);
    expect(await refusal(attributes("pods", pod()))).toBe("let in");
    expect(warnings).toEqual([
      'would violate PodSecurity "restricted:v1.20": allowPrivilegeEscalation != false (container "main" must set securityContext.allowPrivilegeEscalation=false), runAsNonRoot != true (pod or container "main" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "main" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    ]);
  });

  test("looks at annotations where an old version of a profile does", async () => {
    labelled({ enforce: "baseline", "enforce-version": "v1.18" });
    const annotations = { "seccomp.security.alpha.kubernetes.io/pod": "unconfined" };
    expect(await refusal(attributes("pods", { ...pod(), metadata: { name: "p", annotations } }))).toBe(
      'pods "p" is forbidden: violates PodSecurity "baseline:v1.18": seccompProfile (forbidden annotation seccomp.security.alpha.kubernetes.io/pod="unconfined")',
    );
  });

  test("refuses labels that say nothing, and tells which pods new ones would hit", async () => {
    const space = (enforce: string): JsonObject => ({
      metadata: { name: "default", labels: { "pod-security.kubernetes.io/enforce": enforce } },
    });
    expect(await refusal(attributes("namespaces", space("strict"), { namespace: "", kind: "Namespace" }))).toContain(
      'metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": must be one of privileged, baseline, restricted',
    );
    for (const name of ["b", "a"]) {
      objects.put("", "pods", {
        metadata: { name, namespace: "default" },
        spec: { hostNetwork: true, containers: [] },
      });
    }
    const change = { operation: "UPDATE", namespace: "", oldObject: space("privileged") } as const;
    await admit(attributes("namespaces", space("baseline"), change));
    expect(warnings).toEqual([
      'existing pods in namespace "default" violate the new PodSecurity enforce level "baseline:latest"',
      "a (and 1 other pod): host namespaces",
    ]);
  });
});

describe("classes", () => {
  const annotated = (name: string, created: string, annotation: string) => ({
    metadata: { name, creationTimestamp: created, annotations: { [annotation]: "true" } },
  });

  test("the newest default class is that of claims and ingresses that name none", async () => {
    const storage = "storageclass.kubernetes.io/is-default-class";
    objects.put("storage.k8s.io", "storageclasses", annotated("old", "2026-01-01T00:00:00Z", storage));
    objects.put("storage.k8s.io", "storageclasses", annotated("new", "2026-01-02T00:00:00Z", storage));
    const claim = await admit(attributes("persistentvolumeclaims", { metadata: { name: "c" }, spec: {} }));
    expect(claim).toMatchObject({
      metadata: { finalizers: ["kubernetes.io/pvc-protection"] },
      spec: { storageClassName: "new" },
    });
    const ingress = "ingressclass.kubernetes.io/is-default-class";
    objects.put("networking.k8s.io", "ingressclasses", annotated("nginx", "2026-01-01T00:00:00Z", ingress));
    const at = { group: "networking.k8s.io" };
    expect(await admit(attributes("ingresses", { metadata: { name: "i" }, spec: {} }, at))).toMatchObject({
      spec: { ingressClassName: "nginx" },
    });
  });

  test("only one priority class is everybody's default", async () => {
    const group = "scheduling.k8s.io";
    objects.put(group, "priorityclasses", { metadata: { name: "one" }, globalDefault: true, value: 1 });
    const two = { metadata: { name: "two" }, globalDefault: true, value: 2 };
    expect(await refusal(attributes("priorityclasses", two, { group, namespace: "" }))).toBe(
      'priorityclasses.scheduling.k8s.io "two" is forbidden: PriorityClass one is already marked as default. Only one default can exist',
    );
  });
});

test("who approves a request must be allowed to speak for its signer, or for all of the signer's domain", async () => {
  const request = { metadata: { name: "r" }, spec: { signerName: "example.com/s" }, status: { conditions: [{}] } };
  const at = {
    group: "certificates.k8s.io",
    namespace: "",
    operation: "UPDATE",
    oldObject: { ...request, status: {} },
  } as const;
  const approve = () => refusal(attributes("certificatesigningrequests", request, { ...at, subresource: "approval" }));
  const sign = () => refusal(attributes("certificatesigningrequests", request, { ...at, subresource: "status" }));
  const title = 'certificatesigningrequests.certificates.k8s.io "r" is forbidden: user not permitted to';
  expect(await approve()).toBe(`${title} approve requests with signerName "example.com/s"`);
  expect(await sign()).toBe(`${title} sign requests with signerName "example.com/s"`);
  signers = ["example.com/*"];
  expect([await approve(), await sign()]).toEqual(["let in", "let in"]);
});
