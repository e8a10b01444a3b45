// What the containers of a pod share: network, host name and IPC namespaces, held by bind mounts and by no process.
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "#base/clock";
import { contentHash } from "#base/content-hash";
import type { Logger } from "#base/logger";
import { errorMessage } from "#base/mesh-error";
import { runCommand } from "../run-command.ts";
import { shellQuote, shellWords } from "../shell-quote.ts";
import { type PodInit, startPodInit } from "./pod-init.ts";

const NETNS_DIRECTORY = "/run/netns";
/** The address that every node end of a pod's veth carries; pods use it as their gateway. */
const GATEWAY = "169.254.1.1";
/** The same for IPv6, where every link has addresses of its own. */
const GATEWAY_V6 = "fe80::1";

export interface SandboxOptions {
  readonly uid: string;
  readonly hostname: string;
  /** One, or one of each family. */
  readonly podIPs: readonly string[];
  /** name=value of the pod's own network and IPC namespaces. */
  readonly sysctls: readonly { readonly name: string; readonly value: string }[];
  /** Keeps the node's own network. */
  readonly hostNetwork: boolean;
  readonly hostIPC: boolean;
  /** All containers of the pod see each other's processes. */
  readonly sharePids: boolean;
  /** Of the pod; exists already. */
  readonly directory: string;
  readonly namePrefix: string;
  /** Named pipes to make on the way, so that no further process is needed for them. */
  readonly fifos: readonly string[];
}

export interface PodSandbox {
  /** Arguments of nsenter that lead into the shared namespaces. */
  readonly enter: readonly string[];
  /** /dev/shm of the pod. */
  readonly shm: string;
  /** The pid namespace that its containers share; undefined when each has its own. */
  readonly pids: string | undefined;
  remove(): Promise<void>;
}

/** Makes the namespaces with one shell and two `ip -batch`. Throws MeshError TOOL_FAILED; nothing is left then. */
async function createPodSandbox(options: SandboxOptions): Promise<PodSandbox> {
  const name = options.namePrefix + contentHash(options.uid).slice(0, 7);
  const paths = {
    net: join(NETNS_DIRECTORY, name),
    uts: join(options.directory, "uts"),
    ipc: join(options.directory, "ipc"),
    shm: join(options.directory, "shm"),
  };
  mkdirSync(NETNS_DIRECTORY, { recursive: true });
  mkdirSync(paths.shm, { recursive: true });
  const namespaces = namespacesOf(paths, options);
  for (const { path } of namespaces) writeFileSync(path, "");
  let init: PodInit | undefined;
  const remove = async () => {
    init?.stop();
    await removeSandbox(name, paths, options);
  };
  try {
    const made = runCommand("sh", ["-c", sandboxScript(name, paths, options)]);
    if (options.sharePids) init = await startPodInit();
    await made;
  } catch (thrown) {
    await remove();
    throw thrown;
  }
  const shm = options.hostIPC ? "/dev/shm" : paths.shm;
  return { enter: namespaces.map(({ kind, path }) => `--${kind}=${path}`), shm, pids: init?.path, remove };
}

function namespacesOf(paths: SandboxPaths, { hostNetwork, hostIPC }: SandboxOptions) {
  return [
    ...(hostNetwork ? [] : [{ kind: "net", path: paths.net }]),
    { kind: "uts", path: paths.uts },
    ...(hostIPC ? [] : [{ kind: "ipc", path: paths.ipc }]),
  ];
}

const RETRY_MS = { first: 500, max: 10_000 } as const;

/**
 * Tries until the sandbox is there or the signal aborts; `tell` hears of each failure. Undefined after an abort.
 * `options` may throw too: there may be no address to be had for now.
 */
export async function createPodSandboxAtLast(
  options: () => SandboxOptions,
  on: { clock: Clock; signal: AbortSignal; tell: (message: string) => void },
): Promise<PodSandbox | undefined> {
  for (let wait: number = RETRY_MS.first; !on.signal.aborted; wait = Math.min(wait * 2, RETRY_MS.max)) {
    try {
      return await createPodSandbox(options());
    } catch (thrown) {
      on.tell(`Failed to create pod sandbox: ${errorMessage(thrown)}`);
      await on.clock.sleep(wait, on.signal).catch(() => undefined);
    }
  }
  return undefined;
}

/** Removes namespaces and veths with this prefix that an earlier run left. */
export async function removeLeftoverSandboxes(namePrefix: string, logger: Logger): Promise<void> {
  if (!existsSync(NETNS_DIRECTORY)) return;
  const leftovers = readdirSync(NETNS_DIRECTORY).filter((name) => name.startsWith(namePrefix));
  for (const name of leftovers) {
    logger.info({ netns: name }, "removing the network namespace of an earlier run");
    const quoted = shellQuote(name);
    await runCommand("sh", [
      "-c",
      `for p in $(ip netns pids ${quoted} 2>/dev/null); do kill -9 "$p"; done; ip link del ${quoted} 2>/dev/null; ip netns del ${quoted} 2>/dev/null || rm -f ${shellQuote(join(NETNS_DIRECTORY, name))}`,
    ]).catch((thrown: unknown) => logger.warn({ netns: name, error: errorMessage(thrown) }, "leftover stays"));
  }
}

interface SandboxPaths {
  readonly net: string;
  readonly uts: string;
  readonly ipc: string;
}

function sandboxScript(name: string, paths: SandboxPaths, options: SandboxOptions): string {
  const { podIPs, hostNetwork } = options;
  const namespaces = namespacesOf(paths, options).map(({ kind, path }) => shellQuote(`--${kind}=${path}`));
  const inside = [
    `hostname ${shellQuote(options.hostname)}`,
    // As container runtimes do: a program that is not root may listen on port 80 of its own network.
    ...(hostNetwork ? [] : ["echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start"]),
    ...options.sysctls.map(
      ({ name: key, value }) => `echo ${shellQuote(value)} > ${shellQuote(`/proc/sys/${key.replaceAll(".", "/")}`)}`,
    ),
    ...(hostNetwork ? [] : ["exec ip -batch -"]),
  ].join("; ");
  const make = `unshare ${namespaces.join(" ")} sh -ec ${shellQuote(inside)}`;
  const [inner, outer] = [podIPs.flatMap(innerAddress), podIPs.flatMap((address) => outerRoutes(address, name))];
  const network = hostNetwork
    ? [make]
    : [
        `${make} <<END`,
        "link set lo up",
        `link add eth0 type veth peer name ${name} netns ${process.pid}`,
        "link set eth0 up",
        ...inner,
        "END",
        "ip -batch - <<END",
        `link set ${name} up`,
        ...outer,
        "END",
      ];
  const fifoNames = shellWords(options.fifos);
  const fifos = options.fifos.length ? [`rm -f ${fifoNames}`, `mkfifo -m 666 ${fifoNames}`] : [];
  return ["set -e", ...fifos, ...network].join("\n");
}

function innerAddress(address: string): string[] {
  const [gateway, length, nodad] = address.includes(":") ? [GATEWAY_V6, 128, " nodad"] : [GATEWAY, 32, ""];
  return [
    `addr add ${address}/${length} dev eth0${nodad}`,
    ...(nodad ? [] : [`route add ${gateway} dev eth0 scope link`]),
    `route add default via ${gateway} dev eth0`,
  ];
}

function outerRoutes(address: string, device: string): string[] {
  return address.includes(":")
    ? [`addr add ${GATEWAY_V6}/64 dev ${device} nodad`, `route add ${address}/128 dev ${device}`]
    : [`addr add ${GATEWAY}/32 dev ${device} scope link`, `route add ${address}/32 dev ${device}`];
}

async function removeSandbox(name: string, paths: SandboxPaths, options: SandboxOptions): Promise<void> {
  const held = namespacesOf(paths, options)
    .map(({ path }) => shellQuote(path))
    .join(" ");
  const link = options.hostNetwork ? "" : `ip link del ${name} 2>/dev/null; `;
  await runCommand("sh", ["-c", `${link}umount -l ${held} 2>/dev/null; rm -f ${held}`]).catch(() => undefined);
  rmSync(paths.net, { force: true });
}
