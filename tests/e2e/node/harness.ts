// Runs pods in a network namespace of its own, driven over standard input: one JSON command a line. Prints one JSON
// line an event. tests/e2e/node/*.test.ts start it below `unshare`.
import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import type { ConfigMap, Pod, Secret } from "#api/kubernetes/gen/types";
import { systemClock } from "#base/clock";
import { createLogger } from "#base/logger";
import { machineHierarchies } from "#playground/node/cgroup/cgroup-hierarchies";
import { createContainerCgroups } from "#playground/node/cgroup/container-cgroups";
import { loadImageCatalogue } from "#playground/node/images/image-catalogue";
import { runInContainer } from "#playground/node/kubelet-server/run-in-container";
import { prepareNodeRoot } from "#playground/node/node-root";
import { createIpPool, createIpv6Pool } from "#playground/node/pod/ip-pool";
import type { PodContext } from "#playground/node/pod/pod-context";
import { createPodManager } from "#playground/node/pod/pod-manager";
import type { FollowedObject, ReferencedObjects } from "#playground/node/pod/referenced-objects";
import { programPaths } from "#playground/node/program-paths";
import { runCommand } from "#playground/node/run-command";

type Command =
  | { do: "pod"; type: "ADDED" | "MODIFIED" | "DELETED"; pod: Pod }
  | { do: "object"; object: ConfigMap | Secret }
  | { do: "exec"; id: number; pod: string; container: string; command: string[] }
  | { do: "log"; id: number; pod: string; container: string }
  | { do: "kill"; pod: string; container: string }
  | { do: "groups"; id: number }
  | { do: "quit" };

const say = (event: Record<string, unknown>): void => {
  process.stdout.write(`${JSON.stringify({ at: Date.now(), ...event })}\n`);
};

/** Config maps and secrets that the test hands in. */
function handedObjects(): ReferencedObjects & { put(object: ConfigMap | Secret): void } {
  const objects = new Map<string, ConfigMap | Secret>();
  const listeners = new Set<() => void>();
  const follow = <T>(kind: string, namespace: string, name: string, onChange: () => void): FollowedObject<T> => {
    listeners.add(onChange);
    return {
      synced: Promise.resolve(),
      current: () => objects.get(`${kind}/${namespace}/${name}`) as T | undefined,
      release: () => listeners.delete(onChange),
    };
  };
  return {
    put(object) {
      objects.set(`${object.kind}/${object.metadata?.namespace}/${object.metadata?.name}`, object);
      for (const listener of listeners) listener();
    },
    configMap: (namespace, name, onChange) => follow("ConfigMap", namespace, name, onChange),
    secret: (namespace, name, onChange) => follow("Secret", namespace, name, onChange),
  };
}

const stateDir = process.argv[2] ?? "";
const catalogues = process.argv.slice(3);
await runCommand("sh", [
  "-c",
  "mount -t tmpfs run-netns /run && mkdir /run/netns && ip link set lo up && echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding || true",
]);
const objects = handedObjects();
const logger = createLogger("node-harness", "warn");
const root = await prepareNodeRoot(stateDir);
const { placeholders } = programPaths(existsSync("/usr/local/bin/envoy") ? "/usr/local/bin/envoy" : "/bin/false");
// One for each file of tests: they run side by side, each in a pid namespace of its own.
const cgroupName = `isthmus-harness-${basename(stateDir)}`;
const hierarchies = machineHierarchies();
const hasIpv6 = existsSync("/proc/net/if_inet6");
let tokens = 0;
const context: PodContext = {
  nodeName: "node1",
  hostIPs: ["172.30.0.11"],
  labels: { "kubernetes.io/os": "linux" },
  namePrefix: "ist-n-",
  dns: {
    clusterDomain: "cluster.local",
    dnsAddress: "10.96.0.10",
    hostResolvConf: "nameserver 127.0.0.1\n",
    hostHosts: "",
  },
  allocatable: { cpu: "2", memory: "4Gi" },
  api: {
    async patchPodStatus(pod, status) {
      say({ event: "status", pod: pod.metadata?.name, status });
      return true;
    },
    async removePod(pod) {
      say({ event: "removed", pod: pod.metadata?.name });
    },
    async issueToken(pod, audience, seconds) {
      return { token: `token-${++tokens}-${audience}-${pod.metadata?.name}`, expiresAt: Date.now() + seconds * 1000 };
    },
    getClaim: () => Promise.reject(new Error("no claims here")),
    getVolume: () => Promise.reject(new Error("no volumes here")),
    recordEvent: (pod, { type, reason, message }) =>
      say({ event: "event", pod: pod.metadata?.name, type, reason, message }),
  },
  objects,
  services: () => [
    {
      metadata: { name: "kubernetes", namespace: "default" },
      spec: { clusterIP: "10.96.0.1", ports: [{ name: "https", port: 443 }] },
    },
  ],
  catalogue: () => loadImageCatalogue(catalogues, placeholders),
  ipPools: [createIpPool("10.244.0.0/16"), ...(hasIpv6 ? [createIpv6Pool("fd44::/64")] : [])],
  cgroups: createContainerCgroups(hierarchies, cgroupName, {
    clock: systemClock,
    logger,
  }),
  root,
  clock: systemClock,
  logger,
};
const manager = createPodManager(context);

const handlers: { [K in Command["do"]]: (command: Extract<Command, { do: K }>) => Promise<void> } = {
  async pod({ type, pod }) {
    manager.changed(type, pod);
  },
  async object({ object }) {
    objects.put(object);
  },
  async exec({ id, pod, container, command }) {
    const running = manager.find("default", pod)?.container(container)?.process;
    if (!running) return say({ event: "answer", id, exitCode: -1, output: "not running" });
    say({ event: "answer", id, ...(await runInContainer(running, command, 60_000)) });
  },
  async log({ id, pod, container }) {
    const path = manager.find("default", pod)?.container(container)?.logPath(false) ?? "/dev/null";
    say({ event: "answer", id, exitCode: 0, output: await runCommand("cat", [path]) });
  },
  async kill({ pod, container }) {
    manager.find("default", pod)?.container(container)?.process?.signal("SIGKILL");
  },
  async groups({ id }) {
    const path = join(hierarchies[0]?.path ?? "/nowhere", cgroupName);
    say({ event: "answer", id, exitCode: 0, output: existsSync(path) ? readdirSync(path).join("\n") : "" });
  },
  async quit() {
    await manager.stopAll();
    context.cgroups.removeAll();
    const netns = await runCommand("sh", ["-c", "ls /run/netns; ip -br link | grep ist-n- || true"]);
    await root.remove();
    say({ event: "quit", left: netns.trim() });
    process.exit(0);
  },
};
say({ event: "ready", limits: hierarchies.some(({ controllers }) => controllers.has("memory")), ipv6: hasIpv6 });
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line) as Command;
  void handlers[command.do](command as never).catch((thrown: unknown) =>
    say({ event: "error", error: String(thrown) }),
  );
}
