// The shell script and the table of mounts by which a container comes to life: pure text, so that it can be read in tests.

import { existsSync } from "node:fs";
import type { ContainerCgroup } from "../cgroup/container-cgroups.ts";
import { shellQuote, shellWords } from "../shell-quote.ts";
import { nodeTools, type ToolWords } from "./container-tools.ts";
import { type ProcessIdentity, setprivArguments } from "./process-identity.ts";

export interface BindMount {
  /** On the node. */
  readonly source: string;
  /** Inside the container, without symbolic links; its mount point exists. */
  readonly target: string;
  readonly readOnly: boolean;
}

/** One overlay: its lower folders, topmost first, and the container's own changes. */
export interface OverlayLayer {
  readonly target: string;
  readonly lower: readonly string[];
  readonly upper: string;
  readonly work: string;
}

/** What a process in the container runs as and with. */
export interface ProcessSettings {
  readonly identity: ProcessIdentity;
  readonly variables: Readonly<Record<string, string>>;
  readonly workingDir: string;
  /** How the runtime's own tools are called there; by their names unless this is set. */
  readonly tools?: ToolWords;
}

/** Whose processes a container sees: its own, those of a namespace named by `path`, or the node's. */
export interface PidNamespace {
  readonly kind: "own" | "joined" | "node";
  readonly path?: string;
}

export interface ContainerLaunch extends ProcessSettings {
  /** Of this start of the container; has `root`. */
  readonly directory: string;
  readonly layers: readonly OverlayLayer[];
  readonly devices: string;
  readonly shm: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly mounts: readonly BindMount[];
  readonly readOnlyRoot: boolean;
  readonly privileged: boolean;
  /** Standard input stays open; else it is closed from the start. */
  readonly stdin: boolean;
  /** Standard input ends with the first client that was attached to it. */
  readonly stdinOnce: boolean;
  /** The program runs on a terminal. */
  readonly tty: boolean;
  readonly command: readonly string[];
  readonly pids: PidNamespace;
  /** Where its limits hold; undefined when it has none. */
  readonly cgroup: ContainerCgroup | undefined;
  /** What shows it its limits, in this order. */
  readonly limits?: readonly Pick<BindMount, "source" | "target">[];
  /** As its image writes it. */
  readonly stopSignal?: string;
  /** On the node: the file that the container sees at its terminationMessagePath. */
  readonly terminationLog: string;
}

/** Readable for root only. */
export function environmentFile(launch: ContainerLaunch): string {
  return `${launch.directory}/environment`;
}

/** The line on the launcher's standard error that says that the container is set up and its program starts. */
export const READY_LINE = "isthmus: container ready";

/** For `mount --all --fstab`: one process mounts everything, in this order. */
export function mountTable(launch: ContainerLaunch): string {
  const { directory, readOnlyRoot, privileged } = launch;
  const root = `${directory}/root`;
  const rows: [string, string, string, string][] = [
    ...launch.layers.map(({ target, lower, upper, work }): [string, string, string, string] => {
      const options = `lowerdir=${lower.map(overlayPath).join(":")},upperdir=${overlayPath(upper)},workdir=${overlayPath(work)}`;
      return [
        "overlay",
        target === "/" ? root : `${root}${target}`,
        "overlay",
        readOnlyRoot ? `ro,${options}` : options,
      ];
    }),
    ["proc", `${root}/proc`, "proc", "nosuid,nodev,noexec"],
    ...(privileged ? [] : SHARED_SETTINGS.map((path) => bindRow(`${root}${path}`, `${root}${path}`, true))),
    ["sysfs", `${root}/sys`, "sysfs", `${privileged ? "rw" : "ro"},nosuid,nodev,noexec`],
    ...(launch.limits ?? []).map(({ source, target }) => bindRow(source, `${root}${target}`, !privileged)),
    [launch.devices, `${root}/dev`, "none", "bind,ro"],
    ["devpts", `${root}/dev/pts`, "devpts", "newinstance,ptmxmode=0666,mode=620,gid=5"],
    [launch.shm, `${root}/dev/shm`, "none", "bind"],
    ...launch.mounts.map(({ source, target, readOnly }) => bindRow(source, `${root}${target}`, readOnly)),
  ];
  return rows.map((row) => `${row.map(tableField).join(" ")} 0 0\n`).join("");
}

/** Settings of the whole machine: a container may read them. */
const SHARED_SETTINGS = ["/proc/sys", "/proc/sysrq-trigger"].filter((path) => existsSync(path));

function bindRow(source: string, target: string, readOnly: boolean): [string, string, string, string] {
  return [source, target, "none", readOnly ? "bind,ro" : "bind"];
}

/** Runs as the first process of the container's own mount and pid namespaces. */
export function initScript(launch: ContainerLaunch): string {
  const [program = ""] = launch.command;
  const tools = launch.tools ?? nodeTools;
  const path = launch.variables.PATH ?? "";
  return [
    "set -e",
    ...enterCgroup(launch.cgroup),
    `exec 3>${shellQuote(launch.stdout)} 5>${shellQuote(launch.stderr)} ${ENVIRONMENT_FD}<${shellQuote(environmentFile(launch))}`,
    `mount --all --fstab ${shellQuote(`${launch.directory}/fstab`)}`,
    `cd ${shellQuote(`${launch.directory}/root`)}`,
    "pivot_root . .",
    `${shellWords(tools("umount"))} -l .`,
    "cd /",
    ...findProgram(launch, path, program),
    ...(launch.cgroup === undefined ? [] : ['wait "$limits" || echo "limits not set" >&2']),
    `echo ${shellQuote(READY_LINE)} >&2`,
    "exec 1>&3 2>&5 3>&- 5>&-",
    `exec ${shellWords(processCommand(launch, launch.tty ? onTerminal(`exec ${shellWords(launch.command)}`, tools) : launch.command))}`,
    "",
  ].join("\n");
}

/** Descriptors of the groups' files: one for each hierarchy that limits. */
const CGROUP_FDS = [6, 7, 8] as const;

/** The kernel takes milliseconds for it: meanwhile the rest goes on, and with it the root changes. */
function enterCgroup(cgroup: ContainerCgroup | undefined): string[] {
  const files = (cgroup?.procsFiles ?? []).slice(0, CGROUP_FDS.length);
  if (files.length === 0) return [];
  const opened = files.map((file, index) => `${CGROUP_FDS[index]}>${shellQuote(file)}`);
  const moves = files.map((_, index) => `echo $$ >&${CGROUP_FDS[index]}`);
  const closed = files.map((_, index) => `${CGROUP_FDS[index]}>&-`);
  return [`exec ${opened.join(" ")}`, `{ ${moves.join("; ")}; } & limits=$!`, `exec ${closed.join(" ")}`];
}

function findProgram({ workingDir, tools = nodeTools }: ProcessSettings, path: string, program: string): string[] {
  const at = shellQuote(workingDir);
  const name = shellQuote(program);
  const fail = (sentence: string) => `{ echo ${shellQuote(sentence)} >&2; exit 128; }`;
  const failed = (why: string) => fail(`exec: "${program}": ${why}`);
  const checks = program.includes("/")
    ? [
        `[ -e ${name} ] || ${failed(`stat ${program}: no such file or directory`)}`,
        `[ ! -d ${name} ] || ${failed("is a directory")}`,
        `[ -x ${name} ] || ${failed("permission denied")}`,
      ]
    : [`(PATH=${shellQuote(path)}; command -v ${name} >/dev/null) || ${failed("executable file not found in $PATH")}`];
  const notThere = `chdir to cwd ("${workingDir}") set in config.json failed: not a directory`;
  return [
    `[ -d ${at} ] || ${shellWords(tools("mkdir"))} -p ${at} 2>/dev/null || true`,
    `cd ${at} 2>/dev/null || ${fail(notThere)}`,
    ...checks,
    "cd /",
  ];
}

/** The terminal of a container whose program runs on one: the first of its own devpts. */
export const CONTAINER_TERMINAL = "/dev/pts/0";

/** util-linux' script makes a terminal and runs a shell's line on it; the shell is the container's own. */
export function onTerminal(line: string, tools: ToolWords = nodeTools): string[] {
  return [...tools("script"), "--quiet", "--return", "--flush", "--command", line, "/dev/null"];
}

/** The descriptor on which a process of the container is handed its environment: values may be secret, and the words of
 * a command line are for everyone on the machine to read. */
export const ENVIRONMENT_FD = 4;

const takeEnvironment = (tools: ToolWords) =>
  [
    'cd -- "$0" || exit 126',
    `environment=$(${shellWords(tools("cat"))} <&${ENVIRONMENT_FD})`,
    `exec ${ENVIRONMENT_FD}<&-`,
    "unset PWD OLDPWD",
    'eval "$environment"',
    'exec "$@"',
  ].join("; ");

/** What a shell takes over with `eval`. Names that no shell can carry (`a.b`) go through env(1) at the last moment. */
export function environmentText(variables: Readonly<Record<string, string>>, tools: ToolWords = nodeTools): string {
  const entries = Object.entries(variables);
  const isShellName = ([name]: [string, string]) => /^[A-Za-z_]\w*$/.test(name);
  const lines = entries.filter(isShellName).map(([name, value]) => `export ${name}=${shellQuote(value)}`);
  const others = entries.filter((entry) => !isShellName(entry)).map(([name, value]) => shellQuote(`${name}=${value}`));
  return [
    ...lines,
    ...(others.length === 0 ? [] : [`set -- ${shellWords(tools("env"))} ${others.join(" ")} "$@"`]),
    "",
  ].join("\n");
}

/** The words that run a command as a process of the container, once inside its namespaces; reads ENVIRONMENT_FD. */
export function processCommand(settings: ProcessSettings, command: readonly string[]): string[] {
  const { tools = nodeTools } = settings;
  return [
    ...tools("setpriv"),
    ...setprivArguments(settings.identity),
    ...[...tools("env"), "--ignore-environment", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    ...[...tools("sh"), "-c", takeEnvironment(tools), settings.workingDir],
    ...command,
  ];
}

/** fstab(5) separates by blanks and writes them as octal. */
function tableField(field: string): string {
  return field.replace(/[\s\\]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`);
}

/** A colon separates layers, a comma options. */
function overlayPath(path: string): string {
  return path.replace(/[:,\\]/g, "\\$&");
}
