// A playground with IPv6 beside IPv4: addresses of both families, calls over both, and networks that stay apart in both.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "#base/until";
import { bootPlayground, ROOT, type TestPlayground, whyNoPlayground } from "../../kit/playground.ts";

const TOPOLOGY = join(ROOT, "samples", "playground", "dual-stack.yaml");
const WAIT_MS = 60_000;
const PORT = 8080;
/** Says who it is and where a call comes from. */
const SERVER = `require("node:http").createServer((request, response) =>
  response.end(process.env.HOSTNAME + " " + request.socket.remoteAddress.replace("::ffff:", ""))).listen(${PORT}, "::")`;

const pod = (name: string, image: string, command: readonly string[]) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, labels: { app: name } },
  spec: { terminationGracePeriodSeconds: 0, containers: [{ name: "c", image, command }] },
});
const service = (name: string, spec: object) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name },
  spec: { selector: { app: "web" }, ports: [{ name: "http", port: 80, targetPort: PORT }], ...spec },
});
const CLIENT = pod("client", "curlimages/curl", ["sleep", "infinity"]);
const WEB = pod("web", "docker.io/istio/examples-helloworld-v1", ["node", "-e", SERVER]);
const OBJECTS = [
  CLIENT,
  WEB,
  service("web", { type: "LoadBalancer", ipFamilyPolicy: "PreferDualStack" }),
  service("six", { ipFamilies: ["IPv6"] }),
  service("db", { clusterIP: "None", ipFamilyPolicy: "RequireDualStack" }),
  service("four", {}),
];

const reason = whyNoPlayground() ?? (existsSync("/proc/sys/net/ipv6") ? undefined : "the kernel has no IPv6");
if (reason !== undefined) console.warn(`two families are skipped: ${reason}`);
const url = (address: string, port = 80) => `http://${address.includes(":") ? `[${address}]` : address}:${port}/`;

describe.skipIf(reason !== undefined)("a playground with two families", () => {
  let playground: TestPlayground;
  let web: readonly string[] = [];
  const kubectl = (cluster: string, ...words: string[]) =>
    playground.ok("kubectl", ["--context", cluster, ...words], { timeoutMs: WAIT_MS });
  const get = async <T>(cluster: string, what: string, path: string): Promise<T> =>
    // Of what is not there jsonpath prints nothing.
    JSON.parse((await kubectl(cluster, "get", ...what.split(" "), "-o", `jsonpath={${path}}`)) || "null") as T;
  const call = async (cluster: string, ...words: string[]) => {
    const curl = ["exec", "client", "--", "curl", "-sS", "--max-time", "30", ...words];
    const { stdout, stderr } = await playground.run("kubectl", ["--context", cluster, ...curl], { timeoutMs: WAIT_MS });
    return stdout || stderr;
  };
  const balanced = async () =>
    (await get<{ ip: string }[] | null>("cluster1", "service web", ".status.loadBalancer.ingress")) ?? [];
  /** In the network namespace of a node. */
  const onNode = (index: number, ...command: string[]) => {
    const pid = playground.status.clusters[index]?.nodePid;
    return execFileSync("nsenter", ["-t", String(pid), "-n", ...command], {
      stdio: ["ignore", "pipe", "pipe"],
    }).toString();
  };

  beforeAll(async () => {
    playground = await bootPlayground({ flags: ["--no-common-root", "--topology", TOPOLOGY] });
    const apply = (cluster: string, items: readonly object[]) =>
      playground.ok("kubectl", ["--context", cluster, "apply", "-f", "-"], {
        input: JSON.stringify({ apiVersion: "v1", kind: "List", items }),
      });
    await Promise.all([apply("cluster1", OBJECTS), apply("cluster2", [CLIENT])]);
    const ready = (cluster: string, ...pods: string[]) =>
      kubectl(cluster, "wait", ...pods, "--for=condition=Ready", "--timeout=60s");
    await Promise.all([ready("cluster1", "pod/web", "pod/client"), ready("cluster2", "pod/client")]);
    web = (await get<{ ip: string }[]>("cluster1", "pod web", ".status.podIPs")).map(({ ip }) => ip);
    const isServed = async () => {
      const points = await balanced();
      const both = ["http://web", `http://db:${PORT}`].flatMap((url) => [
        ["-4", url],
        ["-6", url],
      ]);
      const own = [...both, ["-6", "http://six"], ["-4", "http://four"]];
      const calls = own.map((words) => call("cluster1", ...words));
      const answers = await Promise.all([...calls, ...points.map(({ ip }) => call("cluster2", url(ip)))]);
      return points.length === 2 && answers.every((answer) => answer.startsWith("web "));
    };
    await until(isServed, { reason: "the Services have their addresses and their rules", timeoutMs: WAIT_MS });
  });
  afterAll(() => playground?.down());

  test("pods, nodes, Services and slices have addresses of both families", async () => {
    const [cluster] = playground.status.clusters;
    expect(web.map((ip) => ip.includes(":"))).toEqual([false, true]);
    expect(await get("cluster1", "nodes", ".items[0].spec.podCIDRs")).toEqual([
      cluster?.podCIDR,
      cluster?.ipv6?.podCIDR,
    ]);
    const addresses = await get<{ type: string; address: string }[]>("cluster1", "nodes", ".items[0].status.addresses");
    expect(addresses.filter(({ type }) => type === "InternalIP").map(({ address }) => address)).toEqual([
      cluster?.address,
      cluster?.ipv6?.address,
    ]);
    expect(await get("cluster1", "service web", ".spec.ipFamilies")).toEqual(["IPv4", "IPv6"]);
    const slices = async (name: string) => {
      const label = `endpointslices -l kubernetes.io/service-name=${name}`;
      const items = await get<{ addressType: string; endpoints: { addresses: string[] }[] }[]>(
        "cluster1",
        label,
        ".items",
      );
      return items.map(({ addressType, endpoints }) => [addressType, endpoints[0]?.addresses]).sort();
    };
    const [four, six] = web;
    for (const name of ["web", "db"])
      expect(await slices(name)).toEqual([
        ["IPv4", [four]],
        ["IPv6", [six]],
      ]);
    expect([await slices("six"), await slices("four")]).toEqual([[["IPv6", [six]]], [["IPv4", [four]]]]);
  });

  test("names lead to both families, or to the one that a Service has", async () => {
    for (const [family, name, port] of [
      ["-4", "web", 80],
      ["-6", "web", 80],
      ["-4", "db", PORT],
      ["-6", "db", PORT],
      ["-6", "six", 80],
    ] as const) {
      expect(await call("cluster1", family, `http://${name}:${port}`), `${family} ${name}`).toMatch(/^web /);
    }
    expect(await call("cluster1", "-6", "http://four")).toMatch(/^curl: \([67]\)/);
    expect(await call("cluster1", "-4", "http://six")).toMatch(/^curl: \([67]\)/);
  });

  test("the other network reaches the load balancer's addresses alone, and is seen as its node", async () => {
    const [, second] = playground.status.clusters;
    const [four, six] = (await balanced()).map(({ ip }) => ip);
    // kube-proxy puts the node's own address before such calls.
    const seen = (address = "") => (playground.flags.includes("kubelet") ? /^web / : `web ${address}`);
    expect(await call("cluster2", url(four ?? ""))).toMatch(seen(second?.address));
    expect(await call("cluster2", url(six ?? ""))).toMatch(seen(second?.ipv6?.address));
    const clusterIPs = await get<string[]>("cluster1", "service web", ".spec.clusterIPs");
    for (const address of [...web.map((ip) => url(ip, PORT)), ...clusterIPs.map((ip) => url(ip))]) {
      expect(await call("cluster2", address), address).toMatch(/curl: \(7\)|connect/i);
    }
  });

  test("this machine reaches the load balancer over IPv6 where it has IPv6", async () => {
    const six = (await balanced())[1]?.ip ?? "";
    if (readFileSync("/proc/sys/net/ipv6/conf/default/disable_ipv6", "utf8").trim() !== "0") return;
    expect(await playground.ok("curl", ["-sS", "--noproxy", "*", "--max-time", "30", url(six)])).toMatch(/^web /);
  });

  test("a neighbour with a forged IPv6 route to a pod or a Service is refused by the node's rules alone", async () => {
    const [first] = playground.status.clusters;
    const service = (await get<string[]>("cluster1", "service web", ".spec.clusterIPs"))[1] ?? "";
    const dial = (address: string) => {
      try {
        return onNode(1, "curl", "-sS", "--noproxy", "*", "--max-time", "30", address);
      } catch (thrown) {
        return String((thrown as { stderr?: unknown }).stderr);
      }
    };
    const targets = [
      { ip: web[1] ?? "", port: PORT },
      { ip: service, port: 80 },
    ];
    // The neighbour's own rules would refuse it too, or the answers: they are not what is asked here.
    for (const chain of ["INPUT", "OUTPUT"]) onNode(1, "ip6tables", "-w", "-D", chain, "-j", `PLAYGROUND-${chain}`);
    onNode(1, "sh", "-c", "ip6tables -w -D OUTPUT -j ISTHMUS-REJECT || true");
    for (const { ip } of targets)
      onNode(1, "ip", "-6", "route", "replace", `${ip}/128`, "via", first?.ipv6?.address ?? "");
    for (const { ip, port } of targets) expect(dial(url(ip, port)), ip).toMatch(/curl: \(7\)/);
    // The control: the very same routes lead there once the rule is away.
    onNode(0, "ip6tables", "-w", "-D", "FORWARD", "-j", "PLAYGROUND-FORWARD");
    try {
      for (const { ip, port } of targets) expect(dial(url(ip, port)), ip).toMatch(/^web /);
    } finally {
      onNode(0, "ip6tables", "-w", "-I", "FORWARD", "1", "-j", "PLAYGROUND-FORWARD");
    }
  });
});
