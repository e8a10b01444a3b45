import fc from "fast-check";
import { applyPatch } from "fast-json-patch";
import { describe, expect, test } from "vitest";
import type { Container, Pod } from "#api/kubernetes/gen/types";
import { admitPod, parseAdmissionReview } from "./admission.ts";
import { injectPod } from "./inject-pod.ts";
import { parseInjectionSettings } from "./injection-settings.ts";
import { diffJson } from "./json-diff.ts";

const settings = parseInjectionSettings({
  config: "policy: enabled\nneverInjectSelector: [{matchLabels: {never: 'yes'}}]\nalwaysInjectSelector: []",
  values: JSON.stringify({ global: { network: "network1", multiCluster: { clusterName: "cluster1" } } }),
  mesh: "trustDomain: cluster.local",
});

function pod(
  over: { labels?: Record<string, string>; annotations?: Record<string, string>; namespace?: string } = {},
): Pod {
  const { namespace = "sample", ...rest } = over;
  return {
    metadata: { name: "web", namespace, ...rest },
    spec: { containers: [{ name: "web", image: "web:1" }] },
  };
}

function patched(before: Pod, patch: readonly unknown[]): Pod {
  return applyPatch(structuredClone(before), structuredClone(patch) as never).newDocument;
}

describe("decision", () => {
  const disabled = { ...settings, policy: "disabled" as const };
  test.each([
    ["plain", pod(), settings, true, undefined],
    ["label false", pod({ labels: { "sidecar.istio.io/inject": "false" } }), settings, false, /is false on the pod/],
    [
      "label beats annotation",
      pod({ labels: { "sidecar.istio.io/inject": "true" }, annotations: { "sidecar.istio.io/inject": "false" } }),
      settings,
      true,
      undefined,
    ],
    ["strange value", pod({ labels: { "sidecar.istio.io/inject": "yes" } }), settings, true, /"yes".*ignored/],
    ["system namespace", pod({ namespace: "kube-system" }), settings, false, /never join/],
    ["never selector", pod({ labels: { never: "yes" } }), settings, false, /neverInjectSelector/],
    [
      "label beats never selector",
      pod({ labels: { never: "yes", "sidecar.istio.io/inject": "true" } }),
      settings,
      true,
      undefined,
    ],
    ["disabled", pod(), disabled, false, /policy is disabled/],
    ["disabled but asked", pod({ labels: { "sidecar.istio.io/inject": "true" } }), disabled, true, undefined],
    ["already", pod({ annotations: { "sidecar.istio.io/status": "{}" } }), settings, false, /already carries/],
  ])("%s", (...[, subject, config, injected, why]) => {
    const result = injectPod(subject, config);
    expect(result.patch.length > 0).toBe(injected);
    if (why === undefined) expect(result.why).toBeUndefined();
    else expect(result.why).toMatch(why);
  });
});

describe("properties", () => {
  const name = fc.stringMatching(/^[a-z]{1,8}$/).filter((text) => !["istio"].includes(text));
  const labels = fc.dictionary(fc.constantFrom("app", "version", "x/y", "a~b"), fc.stringMatching(/^[a-z0-9]{1,5}$/));
  const container: fc.Arbitrary<Container> = fc.record(
    {
      name,
      image: name,
      ports: fc.array(fc.record({ containerPort: fc.integer({ min: 1, max: 65_535 }) }), { maxLength: 3 }),
      readinessProbe: fc.constantFrom({ httpGet: { path: "/", port: 80 } }, { exec: { command: ["x"] } }),
    },
    { requiredKeys: ["name", "image"] },
  );
  const anyPod: fc.Arbitrary<Pod> = fc.record({
    metadata: fc.record(
      { name, namespace: fc.constant("ns"), labels, annotations: labels },
      { requiredKeys: ["name", "namespace"] },
    ),
    spec: fc.record(
      {
        containers: fc.uniqueArray(container, { minLength: 1, maxLength: 4, selector: (c) => c.name }),
        initContainers: fc.array(container, { maxLength: 2 }),
      },
      { requiredKeys: ["containers"] },
    ),
  });

  test("patching twice gives what patching once gave", () => {
    fc.assert(
      fc.property(anyPod, (before) => {
        const once = patched(before, injectPod(before, settings).patch);
        expect(injectPod(once, settings).patch).toEqual([]);
        expect(once.spec?.containers.filter((c) => c.name === "istio-proxy")).toHaveLength(1);
      }),
    );
  });

  test("containers of the application keep their place, image and ports; user labels and annotations stay", () => {
    fc.assert(
      fc.property(anyPod, (before) => {
        const copy = structuredClone(before);
        const after = patched(before, injectPod(before, settings).patch);
        expect(before).toEqual(copy);
        before.spec?.containers.forEach((app, at) => {
          expect(after.spec?.containers[at]).toMatchObject({ name: app.name, image: app.image });
          expect(after.spec?.containers[at]?.ports).toEqual(app.ports);
        });
        expect(after.metadata?.labels).toMatchObject(before.metadata?.labels ?? {});
        expect(after.metadata?.annotations).toMatchObject(before.metadata?.annotations ?? {});
      }),
    );
  });

  test("a label may have the name of something every object inherits", () => {
    expect(diffJson({}, { toString: "x" })).toEqual([{ op: "add", path: "/toString", value: "x" }]);
    expect(diffJson({ constructor: "x" }, {})).toEqual([{ op: "remove", path: "/constructor" }]);
  });

  test("a diff applied to the first gives the second", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue()), (a, b) => {
        fc.pre(!JSON.stringify([a, b]).includes("__proto__"));
        expect(applyPatch(structuredClone(a), structuredClone(diffJson(a, b)) as never).newDocument).toEqual(b);
      }),
    );
  });
});

describe("admission", () => {
  const review = (object: Pod) => ({
    request: { uid: "u1", namespace: "sample", name: "web", kind: { kind: "Pod" }, object },
  });

  test("answers with a base64 JSON patch that names the cluster and network of the path", () => {
    const { metadata: _, ...rest } = pod();
    const bare: Pod = { ...rest, metadata: { name: "web" } };
    const outcome = admitPod(parseAdmissionReview(review(bare)), settings, "/inject/cluster/c9/net/n--slash--9");
    expect(outcome).toMatchObject({
      result: "injected",
      pod: "sample/web",
      answer: { response: { uid: "u1", allowed: true } },
    });
    const patch = JSON.parse(Buffer.from(outcome.answer.response.patch ?? "", "base64").toString());
    const after = patched(bare, patch);
    const env = after.spec?.containers[1]?.env ?? [];
    expect(env.find((v) => v.name === "ISTIO_META_CLUSTER_ID")?.value).toBe("c9");
    expect(env.find((v) => v.name === "ISTIO_META_NETWORK")?.value).toBe("n/9");
    expect(after.metadata?.namespace).toBeUndefined();
  });

  test("refuses a pod whose annotation cannot be read, and says how to write it", () => {
    const bad = pod({ annotations: { "proxy.istio.io/config": "- a list" } });
    const outcome = admitPod(parseAdmissionReview(review(bad)), settings, "/inject");
    expect(outcome.answer.response.allowed).toBe(false);
    expect(outcome.why).toMatch(/proxy\.istio\.io\/config.*write a ProxyConfig/);
  });

  test("an unknown template is refused with the list of those that exist", () => {
    const outcome = admitPod(
      parseAdmissionReview(review(pod({ annotations: { "inject.istio.io/templates": "none" } }))),
      settings,
      "/inject",
    );
    expect(outcome.why).toMatch(/"none".*sidecar, gateway/);
  });

  test("a body that is no review is named as such", () => {
    expect(() => parseAdmissionReview({ hello: 1 })).toThrow(/not an AdmissionReview/);
  });
});
