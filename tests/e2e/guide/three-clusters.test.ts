// Three clusters on two networks: clusters of one network call each other's pods directly, the third one's through its
// gateway. Every cluster is a primary.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "#base/until";
import { callSpread, whyNotSpread } from "#playground/guide/call-spread";
import { bootPlayground, type TestPlayground, whyNoPlayground } from "../../kit/playground.ts";

const TOPOLOGY = "samples/playground/three-clusters-two-networks.yaml";
const NETWORKS: Readonly<Record<string, string>> = { cluster1: "network1", cluster2: "network2", cluster3: "network1" };
const CLUSTERS = Object.keys(NETWORKS);
const VERSIONS = ["v1", "v2", "v3"];
const CALLS = 150;

const operator = (cluster: string) => `cat <<EOF > ${cluster}.yaml
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
spec:
  values:
    global: { meshID: mesh1, multiCluster: { clusterName: ${cluster} }, network: ${NETWORKS[cluster]} }
EOF
istioctl install --context=${cluster} -f ${cluster}.yaml`;

/** The sample's versions; v3 is its v1 by other name, label and environment. */
const helloworld = (version: string) =>
  version === "v3"
    ? "sed -e 's/\\(name: helloworld-\\| version: \\)v1$/\\1v3/' -e 's/^\\( *\\)imagePullPolicy:.*/&\\n\\1env: [{name: SERVICE_VERSION, value: v3}]/' samples/helloworld/helloworld.yaml"
    : "cat samples/helloworld/helloworld.yaml";

const clusterSteps = (cluster: string, version: string) => [
  operator(cluster),
  `samples/multicluster/gen-eastwest-gateway.sh --mesh mesh1 --cluster ${cluster} --network ${NETWORKS[cluster]} | istioctl manifest generate -f - | kubectl apply --context=${cluster} -f -`,
  `kubectl apply --context=${cluster} -n istio-system -f samples/multicluster/expose-services.yaml`,
  `kubectl create --context=${cluster} namespace sample && kubectl label --context=${cluster} namespace sample istio-injection=enabled`,
  `kubectl apply --context=${cluster} -n sample -l service=helloworld -f samples/helloworld/helloworld.yaml`,
  `${helloworld(version)} | kubectl apply --context=${cluster} -n sample -l version=${version} -f -`,
  `kubectl apply --context=${cluster} -n sample -f samples/sleep/sleep.yaml`,
];

const remoteSecrets = CLUSTERS.flatMap((from) =>
  CLUSTERS.filter((to) => to !== from).map(
    (to) => `istioctl create-remote-secret --context=${from} --name=${from} | kubectl apply -f - --context=${to}`,
  ),
);

describe.skipIf(whyNoPlayground())("three clusters on two networks", () => {
  let playground: TestPlayground;
  const podAddress = async (cluster: string, version: string) =>
    playground.ok("kubectl", [
      ...["get", "pods", "--context", cluster, "-n", "sample", "-l", `version=${version}`],
      ...["-o", "jsonpath={.items[0].status.podIP}"],
    ]);
  const gatewayAddress = async (cluster: string) =>
    playground.ok("kubectl", [
      ...["get", "service", "istio-eastwestgateway", "--context", cluster, "-n", "istio-system"],
      ...["-o", "jsonpath={.status.loadBalancer.ingress[0].ip}"],
    ]);
  const endpointsSeenBy = async (cluster: string) => {
    const text = await playground.ok("istioctl", [
      ...["proxy-config", "endpoint", "deploy/sleep", "--context", cluster, "-n", "sample"],
      ...["--cluster", "outbound|5000||helloworld.sample.svc.cluster.local"],
    ]);
    return [...text.matchAll(/^([\d.]+:\d+)/gm)].map(([, address]) => address).sort();
  };

  beforeAll(async () => {
    playground = await bootPlayground({ flags: ["--topology", TOPOLOGY] });
    const steps = CLUSTERS.map((cluster, index) => clusterSteps(cluster, VERSIONS[index] ?? ""));
    for (const own of steps) await playground.commands(own);
    await playground.commands(remoteSecrets);
    await playground.ready("sample");
    const all = async () => (await Promise.all(CLUSTERS.map(endpointsSeenBy))).every((seen) => seen.length >= 3);
    await until(all, { reason: "every client sees all versions", timeoutMs: 60_000, intervalMs: 200 });
  });
  afterAll(() => playground?.down());

  test("pods of the own network are seen by their addresses, those of the other one as its gateway", async () => {
    const [v1 = "", v2 = "", v3 = ""] = await Promise.all(
      CLUSTERS.map((cluster, index) => podAddress(cluster, VERSIONS[index] ?? "")),
    );
    const [gateway1, gateway2, gateway3] = await Promise.all(CLUSTERS.map(gatewayAddress));
    const fromNetwork1 = [`${v1}:5000`, `${v3}:5000`, `${gateway2}:15443`].sort();
    expect(await endpointsSeenBy("cluster1")).toEqual(fromNetwork1);
    expect(await endpointsSeenBy("cluster3")).toEqual(fromNetwork1);
    expect(await endpointsSeenBy("cluster2")).toEqual([`${v2}:5000`, `${gateway1}:15443`, `${gateway3}:15443`].sort());
  });

  test(`${CALLS} calls from each cluster have their even share of versions, without an error`, async () => {
    const { environment } = playground;
    const spreads = await Promise.all(CLUSTERS.map((context) => callSpread({ context, calls: CALLS, environment })));
    const [first, second, third] = spreads;
    expect([first, third].map((spread) => spread && whyNotSpread(spread, VERSIONS))).toEqual([undefined, undefined]);
    // A gateway passes connections on, not calls: of the two versions behind those of the other network, each of the few
    // connections keeps the one that it met, so only the share of both together is even.
    expect(second?.errors).toEqual([]);
    const own = (second?.answers ?? []).filter(({ version }) => version === "v2");
    const calls = own.reduce((sum, { count }) => sum + count, 0);
    const deviation = Math.sqrt((CALLS * 2) / 9);
    expect(Math.abs(calls - CALLS / 3), `${calls} of ${CALLS} calls`).toBeLessThan(5 * deviation);
  });

  test("between clusters of one network it is mutual TLS, and no gateway stands between", async () => {
    const strict = `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: sample }
spec: { mtls: { mode: STRICT } }`;
    await playground.ok("kubectl", ["apply", "--context", "cluster3", "-f", "-"], { input: strict });
    await playground.shell(
      "kubectl --context=cluster1 run stranger --image=curlimages/curl && kubectl --context=cluster1 wait --for=condition=Ready pod/stranger --timeout=60s",
    );
    const v3 = await podAddress("cluster3", "v3");
    const exec = ["exec", "--context", "cluster1"];
    const curl = ["--", "curl", "-sS", "--max-time", "30", `http://${v3}:5000/hello`];
    const plain = () => playground.run("kubectl", [...exec, "stranger", ...curl]);
    const refused = async () => (await plain()).exitCode !== 0;
    await until(refused, { reason: "cluster3 takes mutual TLS only", timeoutMs: 60_000, intervalMs: 200 });
    expect((await plain()).stderr).toMatch(/reset by peer|\(56\)|\(52\)/);
    const gateways = (cluster: string) => ["--context", cluster, "-n", "istio-system"];
    const away = ["cluster1", "cluster3"].map(async (cluster) => {
      const scale = ["scale", "deploy/istio-eastwestgateway", "--replicas=0", ...gateways(cluster)];
      await playground.ok("kubectl", scale);
      const gone = ["wait", "--for=delete", "pod", "-l", "istio=eastwestgateway", "--timeout=60s"];
      await playground.ok("kubectl", [...gone, ...gateways(cluster)]);
    });
    await Promise.all(away);
    const { environment } = playground;
    const spread = await callSpread({ context: "cluster1", calls: CALLS, environment });
    expect(whyNotSpread(spread, VERSIONS)).toBeUndefined();
  });
});
