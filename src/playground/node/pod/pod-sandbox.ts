// What the containers of a pod share: network, host name and IPC namespaces, held by bind mounts and by no process.
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "#base/clock";
import { contentHash } from "#base/content-hash";
import type { Logger } from "#base/logger";
import { errorMessage } from "#base/mesh-error";
import { runCommand } from "../run-command.ts";
import { shellQuote, shellWords } from "../shell-quote.ts";

const NETNS_DIRECTORY = "/run/netns";
/** The address that every node end of a pod's veth carries; pods use it as their gateway. */
const GATEWAY = "169.254.1.1";

export interface SandboxOptions {
  readonly uid: string;
  readonly hostname: string;
  readonly podIP: string;
  /** Keeps the node's own network. */
  readonly hostNetwork: boolean;
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
  for (const path of [paths.uts, paths.ipc, ...(options.hostNetwork ? [] : [paths.net])]) writeFileSync(path, "");
  const remove = () => removeSandbox(name, paths, options.hostNetwork);
  try {
    await runCommand("sh", ["-c", sandboxScript(name, paths, options)]);
  } catch (thrown) {
    await remove();
    throw thrown;
  }
  const network = options.hostNetwork ? [] : [`--net=${paths.net}`];
  return { enter: [...network, `--uts=${paths.uts}`, `--ipc=${paths.ipc}`], shm: paths.shm, remove };
}

const RETRY_MS = { first: 500, max: 10_000 } as const;

/** Tries until the sandbox is there or the signal aborts; `tell` hears of each failure. Undefined after an abort. */
export async function createPodSandboxAtLast(
  options: SandboxOptions,
  on: { clock: Clock; signal: AbortSignal; tell: (message: string) => void },
): Promise<PodSandbox | undefined> {
  for (let wait: number = RETRY_MS.first; !on.signal.aborted; wait = Math.min(wait * 2, RETRY_MS.max)) {
    try {
      return await createPodSandbox(options);
    } catch (thrown) {
      on.tell(errorMessage(thrown));
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
  const { podIP, hostNetwork } = options;
  const namespaces = [...(hostNetwork ? [] : [`--net=${paths.net}`]), `--uts=${paths.uts}`, `--ipc=${paths.ipc}`];
  const inside = [
    `hostname ${shellQuote(options.hostname)}`,
    // As container runtimes do: a program that is not root may listen on port 80 of its own network.
    ...(hostNetwork ? [] : ["echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start; exec ip -batch -"]),
  ].join("; ");
  const make = `unshare ${namespaces.map(shellQuote).join(" ")} sh -c ${shellQuote(inside)}`;
  const network = hostNetwork
    ? [make]
    : [
        `${make} <<END`,
        "link set lo up",
        `link add eth0 type veth peer name ${name} netns ${process.pid}`,
        `addr add ${podIP}/32 dev eth0`,
        "link set eth0 up",
        `route add ${GATEWAY} dev eth0 scope link`,
        `route add default via ${GATEWAY} dev eth0`,
        "END",
        "ip -batch - <<END",
        `addr add ${GATEWAY}/32 dev ${name} scope link`,
        `link set ${name} up`,
        `route add ${podIP}/32 dev ${name}`,
        "END",
      ];
  const fifoNames = shellWords(options.fifos);
  const fifos = options.fifos.length ? [`rm -f ${fifoNames}`, `mkfifo -m 666 ${fifoNames}`] : [];
  return ["set -e", ...fifos, ...network].join("\n");
}

async function removeSandbox(name: string, paths: SandboxPaths, hostNetwork: boolean): Promise<void> {
  const held = [paths.uts, paths.ipc, ...(hostNetwork ? [] : [paths.net])].map(shellQuote).join(" ");
  const link = hostNetwork ? "" : `ip link del ${name} 2>/dev/null; `;
  await runCommand("sh", ["-c", `${link}umount -l ${held} 2>/dev/null; rm -f ${held}`]).catch(() => undefined);
  rmSync(paths.net, { force: true });
}
