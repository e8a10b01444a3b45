// `istioctl install` on a real API server: nothing is refused or warned of, again changes nothing, uninstall leaves
// nothing. No node runs there, so the test plays the Deployment controller.
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Kinds } from "#api/kinds";
import type { Deployment } from "#api/kubernetes/gen/types";
import { until } from "#base/until";
import { createKubeClient } from "#kube/create-kube-client";
import type { KubeClient } from "#kube/kube-client";
import { renderKubeconfig } from "#playground/lifecycle/write-kubeconfig";
import {
  type RealApiServer,
  realKubernetesFolder,
  startRealApiServer,
  whyNoRealApiServer,
} from "../../kit/real-api-server.ts";
import { runCli } from "../../kit/run-cli.ts";

const OWNED =
  "deployments,services,configmaps,serviceaccounts,roles,rolebindings,hpa,pdb,clusterroles,clusterrolebindings," +
  "mutatingwebhookconfigurations,validatingwebhookconfigurations,crds";
const SET = ["--set", "profile=demo", "--set", "hub=registry.example/mesh", "--set", "tag=1.2.3"];
const NAMES = ["istiod", "istio-ingressgateway", "istio-egressgateway"];

test("install refuses an old Kubernetes before it changes anything", async () => {
  const asked: string[] = [];
  const old = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ major: "1", minor: "28+", gitVersion: "v1.28.15-provider.1" }));
  });
  old.listen(0, "127.0.0.1");
  await once(old, "listening");
  const folder = mkdtempSync(join(tmpdir(), "isthmus-old-"));
  try {
    const server = `http://127.0.0.1:${(old.address() as AddressInfo).port}`;
    const config = {
      clusters: [{ name: "c", cluster: { server } }],
      contexts: [{ name: "attic", context: { cluster: "c", user: "u" } }],
      users: [{ name: "u", user: {} }],
      "current-context": "attic",
    };
    writeFileSync(join(folder, "config"), JSON.stringify(config));
    const answer = await runCli(["install", "-y"], { environment: { KUBECONFIG: join(folder, "config") } });
    expect(answer).toMatchObject({ exitCode: 1, stdout: "" });
    expect(answer.stderr).toMatch(
      /^Error: the cluster of context "attic" runs Kubernetes v1\.28\.15-provider\.1; Isthmus needs 1\.29 or newer\n {2}nothing was changed; /,
    );
    expect(asked).toEqual(["GET /version"]);
  } finally {
    old.closeAllConnections();
    old.close();
    rmSync(folder, { recursive: true });
  }
});

describe.skipIf(whyNoRealApiServer() !== undefined)("installation on a real API server", () => {
  let server: RealApiServer;
  let client: KubeClient;
  const istioctl = (...args: string[]) => runCli(args, { environment: { KUBECONFIG: server.kubeconfigFile } });
  const kubectl = (args: readonly string[], input = "") => {
    const own = join(realKubernetesFolder() ?? "", "kubectl");
    return spawnSync(existsSync(own) ? own : "kubectl", ["--kubeconfig", server.kubeconfigFile, ...args], {
      input,
      encoding: "utf8",
    });
  };
  const versions = () => {
    const columns = "NAME:.metadata.name,KIND:.kind,VERSION:.metadata.resourceVersion";
    const args = ["get", OWNED, "-A", "-l", "operator.istio.io/component", "-o", `custom-columns=${columns}`];
    return kubectl([...args, "--no-headers"])
      .stdout.trim()
      .split("\n")
      .sort();
  };
  /** What the Deployment controller would say once all pods are ready. */
  const sayReady = async (name: string) => {
    const at = { namespace: "istio-system", name };
    const found = await until(() => client.get<Deployment>(Kinds.Deployment, at).catch(() => undefined), {
      reason: `Deployment ${name} is there`,
      timeoutMs: 60_000,
    });
    const replicas = found.spec?.replicas ?? 1;
    const counts = { replicas, updatedReplicas: replicas, readyReplicas: replicas, availableReplicas: replicas };
    const status = { observedGeneration: 1, ...counts };
    const ready: Deployment = { ...found, status };
    await client.replace(Kinds.Deployment, ready, { subresource: "status" });
  };

  beforeAll(async () => {
    // No ClusterIP is ever dialled from here: the server asks for endpoints, of which there are none.
    server = await startRealApiServer({ apiServerFlags: ["--enable-aggregator-routing=true"] });
    client = createKubeClient(server.access);
  });
  afterAll(async () => {
    await client?.close();
    await server?.stop();
  });

  test("precheck says that it is safe", async () => {
    const answer = await istioctl("x", "precheck");
    expect(answer).toMatchObject({ exitCode: 0, stderr: "" });
    expect(answer.stdout).toMatch(/^✔ No issues found when checking the cluster \(Kubernetes v1\.\d+\.\d+\)/);
  });

  test("who may not install is told each right that is missing", async () => {
    const identity = await server.identity("somebody");
    const kubeconfig = join(server.folder, "somebody.yaml");
    const entry = { cluster: "real", server: server.url, caPem: server.ca.certificatePem, user: "somebody", identity };
    writeFileSync(kubeconfig, renderKubeconfig([entry]));
    const answer = await runCli(["x", "precheck", "-o", "json"], { environment: { KUBECONFIG: kubeconfig } });
    expect(answer.exitCode).toBe(1);
    const { issues } = JSON.parse(answer.stdout) as { issues: { what: string }[] };
    expect(issues.map(({ what }) => what)).toContain(
      "the user of this context may not create deployments.apps in namespace istio-system",
    );
  });

  test("install applies everything, and again changes nothing", async () => {
    const [first] = await Promise.all([
      istioctl("install", "-y", "--readiness-timeout=120s", ...SET),
      ...NAMES.map(sayReady),
    ]);
    expect(first).toMatchObject({ exitCode: 0 });
    expect(first.stdout).toContain("✔ Installation complete");
    expect(`${first.stdout}${first.stderr}`).not.toMatch(/warning/i);
    const before = versions();
    expect(before.length).toBeGreaterThan(40);
    const again = await istioctl("install", "-y", ...SET);
    expect(again).toMatchObject({ exitCode: 0, stdout: first.stdout });
    expect(versions()).toEqual(before);
  });

  test("hub and tag are in every image", () => {
    const path = "jsonpath={.items[*].spec.template.spec.containers[*].image}";
    const images = kubectl(["get", "deployments", "-n", "istio-system", "-o", path]).stdout.split(" ").sort();
    expect(images).toEqual([
      "registry.example/mesh/pilot:1.2.3",
      "registry.example/mesh/proxyv2:1.2.3",
      "registry.example/mesh/proxyv2:1.2.3",
    ]);
  });

  test("a gateway that is installed for itself runs the images of its control plane", async () => {
    const script = join(import.meta.dirname, "..", "..", "..", "samples", "multicluster", "gen-eastwest-gateway.sh");
    const operator = spawnSync(script, ["--network", "network1"], { encoding: "utf8" }).stdout;
    const file = join(server.folder, "eastwest.yaml");
    writeFileSync(file, operator);
    const install = istioctl("install", "-y", "--readiness-timeout=120s", "-f", file);
    const [answer] = await Promise.all([install, sayReady("istio-eastwestgateway")]);
    expect(answer).toMatchObject({ exitCode: 0 });
    const path = "jsonpath={.spec.template.spec.containers[*].image}";
    const image = kubectl(["get", "deployment", "istio-eastwestgateway", "-n", "istio-system", "-o", path]).stdout;
    expect(image).toBe("registry.example/mesh/proxyv2:1.2.3");
  });

  test("the manifest applies with kubectl without a warning", async () => {
    const { stdout: manifest } = await istioctl("manifest", "generate", ...SET);
    const applied = kubectl(
      ["apply", "--server-side", "--dry-run=server", "--field-manager=istioctl", "--force-conflicts", "-f", "-"],
      manifest,
    );
    expect(applied).toMatchObject({ status: 0, stderr: "" });
  });

  test("kubectl gets, explains and checks Istio's kinds", () => {
    for (const kind of [
      "virtualservices",
      "dr",
      "gw",
      "se",
      "peerauthentications",
      "ap",
      "telemetries",
      "wasmplugins",
    ]) {
      expect(kubectl(["get", kind, "-A"])).toMatchObject({ status: 0, stderr: "No resources found\n" });
    }
    expect(kubectl(["explain", "virtualservice.spec.http.route.destination"]).stdout).toContain("subset\t<string>");
    const entry = {
      apiVersion: "networking.istio.io/v1",
      kind: "ServiceEntry",
      metadata: { name: "both", namespace: "default" },
      spec: { hosts: ["a.example"], endpoints: [{ address: "192.0.2.1" }], workloadSelector: { labels: { a: "b" } } },
    };
    const refused = kubectl(["create", "--dry-run=server", "-f", "-"], JSON.stringify(entry));
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/^The ServiceEntry "both" is invalid/);
  });

  test("uninstall leaves nothing", async () => {
    const answer = await istioctl("uninstall", "-y", "--purge");
    expect(answer).toMatchObject({ exitCode: 0 });
    let touches = 0;
    const isGone = () => {
      if (versions().join() === "") return true;
      // A real API server that met "storage is (re)initializing" while it cleaned up after a definition looks at it again
      // when something touches it, else minutes later.
      kubectl(["annotate", "crds", "-l", "operator.istio.io/component", `touched=${touches++}`, "--overwrite"]);
      return false;
    };
    await until(isGone, { reason: "everything is gone", timeoutMs: 120_000, intervalMs: 1000 });
    expect(await istioctl("uninstall", "-y", "--purge")).toMatchObject({ exitCode: 0, stdout: "Nothing to remove.\n" });
  });
});
