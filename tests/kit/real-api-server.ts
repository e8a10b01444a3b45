// A real kube-apiserver with its etcd, alone on loopback: what our own API server is held against. The binaries come from
// KUBE_BIN or the cache that the engine `kubernetes` fills; nothing is downloaded or built here.
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, closeSync, constants, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { ClusterAccess } from "../../src/kube/kubeconfig.ts";
import { type CertificateAndKey, createCa, issueCertificate } from "../../src/pki/issue-certificate.ts";
import { generateKeyPair } from "../../src/pki/keys.ts";
import { renderKubeconfig } from "../../src/playground/lifecycle/write-kubeconfig.ts";

export interface RealApiServerOptions {
  /** Prefix of the data folder and common name of the CA, default `real`. */
  readonly name?: string;
  /** Also run kube-controller-manager, with all its controllers. */
  readonly controllerManager?: boolean;
  /** Appended to kube-apiserver's flags; of a flag given twice the later wins. */
  readonly apiServerFlags?: readonly string[];
  readonly controllerManagerFlags?: readonly string[];
  /** Also run kube-scheduler. */
  readonly scheduler?: boolean;
  readonly schedulerFlags?: readonly string[];
  /** Default 10.96.0.0/16. */
  readonly serviceCIDR?: string;
  /** Folder of the binaries; default: see `realKubernetesFolder`. */
  readonly binaries?: string;
}

export interface RealApiServer {
  /** https://127.0.0.1:PORT */
  readonly url: string;
  /** As `admin` in `system:masters`. */
  readonly access: ClusterAccess;
  /** The same as text and as a file. */
  readonly kubeconfig: string;
  readonly kubeconfigFile: string;
  /** Data, certificates and logs (`etcd.log`, `kube-apiserver.log`, `kube-controller-manager.log`). */
  readonly folder: string;
  /** PEM of the CA that signed the server and signs clients. */
  readonly ca: CertificateAndKey;
  /** A client certificate: its common name is the user, its organizations the groups. */
  identity(user: string, ...groups: string[]): Promise<CertificateAndKey>;
  /** Access with such an identity. */
  accessAs(user: string, ...groups: string[]): Promise<ClusterAccess>;
  /** Process ids by program name, for measuring. */
  readonly pids: Readonly<Record<string, number>>;
  /** Ends controller manager, API server, etcd, in this order, and removes the folder. May be called twice. */
  stop(): Promise<void>;
}

const NEEDED = ["etcd", "kube-apiserver"];

/**
 * The first folder that holds etcd and kube-apiserver: KUBE_BIN, the newest patch of `kubernetes/VERSION` in the cache
 * whose release is 1.35 (the release whose description is generated into the project), a folder of PATH.
 */
export function realKubernetesFolder(): string | undefined {
  const { KUBE_BIN = "", XDG_CACHE_HOME = join(homedir(), ".cache"), PATH = "" } = process.env;
  const versions = join(XDG_CACHE_HOME, "isthmus", "kubernetes");
  const cached = foldersIn(versions)
    .filter((name) => name.startsWith("1.35."))
    .sort((a, b) => Number(b.split(".")[2]) - Number(a.split(".")[2]))
    .map((name) => join(versions, name));
  const folders = [...(KUBE_BIN === "" ? [] : [KUBE_BIN]), ...cached, ...PATH.split(delimiter)];
  return folders.find((folder) => folder !== "" && NEEDED.every((name) => isProgram(join(folder, name))));
}

/** A sentence for `test.skipIf`, or undefined when a real API server can run here. */
export function whyNoRealApiServer(): string | undefined {
  if (realKubernetesFolder() !== undefined) return undefined;
  return "no etcd and kube-apiserver 1.35 in KUBE_BIN, the cache or PATH; `isthmus playground up --engine kubernetes` builds them";
}

/** Resolves when `/readyz` says ok (2 to 4 s). Everything it starts dies with this process, however that ends. */
export async function startRealApiServer(options: RealApiServerOptions = {}): Promise<RealApiServer> {
  const binaries = options.binaries ?? realKubernetesFolder();
  if (binaries === undefined) throw new Error(whyNoRealApiServer());
  const name = options.name ?? "real";
  const folder = mkdtempSync(join(tmpdir(), `isthmus-${name}-`));
  mkdirSync(join(folder, "etcd"), { mode: 0o700 });
  const running = new Programs(binaries, folder);
  try {
    const pki = await writePki(name, folder);
    const [etcdPort, peerPort, port] = await freePorts();
    running.start("etcd", etcdFlags(folder, etcdPort, peerPort));
    await running.until("etcd", () => answers(`http://127.0.0.1:${etcdPort}/health`));
    const url = `https://127.0.0.1:${port}`;
    const serviceCIDR = options.serviceCIDR ?? "10.96.0.0/16";
    const flags = apiServerFlags({ folder, etcdPort, port, serviceCIDR });
    running.start("kube-apiserver", [...flags, ...(options.apiServerFlags ?? [])]);
    const access = accessWith(url, name, pki.ca, pki.admin);
    await running.until("kube-apiserver", () => isReady(access));
    const kubeconfigFile = join(folder, "admin.kubeconfig");
    const kubeconfig = kubeconfigOf(access);
    await writeFile(kubeconfigFile, kubeconfig, { mode: 0o600 });
    if (options.controllerManager === true) {
      const kcm = controllerManagerFlags({ folder, serviceCIDR, kubeconfig: kubeconfigFile });
      running.start("kube-controller-manager", [...kcm, ...(options.controllerManagerFlags ?? [])]);
      await running.until("kube-controller-manager", () => hasDefaultAccount(access));
    }
    if (options.scheduler === true) {
      running.start("kube-scheduler", [...schedulerFlags(kubeconfigFile), ...(options.schedulerFlags ?? [])]);
    }
    const identity: RealApiServer["identity"] = (user, ...groups) => clientCertificate(pki.ca, user, groups);
    return {
      url,
      access,
      kubeconfig,
      kubeconfigFile,
      folder,
      ca: pki.ca,
      identity,
      accessAs: async (user, ...groups) => accessWith(url, name, pki.ca, await identity(user, ...groups)),
      pids: running.pids,
      stop: () => running.stop(),
    };
  } catch (error) {
    await running.stop();
    throw error;
  }
}

interface Program {
  readonly name: string;
  readonly child: ChildProcess;
  readonly log: string;
  readonly ended: Promise<void>;
}

class Programs {
  readonly #binaries: string;
  readonly #folder: string;
  readonly #programs: Program[] = [];
  readonly pids: Record<string, number> = {};
  #stopped: Promise<void> | undefined;

  constructor(binaries: string, folder: string) {
    this.#binaries = binaries;
    this.#folder = folder;
  }

  start(name: string, args: readonly string[]): void {
    const log = join(this.#folder, `${name}.log`);
    const out = openSync(log, "a");
    const command = ["--pdeathsig", "KILL", join(this.#binaries, name), ...args];
    const child = spawn("setpriv", command, { stdio: ["ignore", out, out], cwd: this.#folder });
    closeSync(out);
    const ended = new Promise<void>((resolve) => {
      child.once("exit", () => resolve());
      child.once("error", () => resolve());
    });
    if (child.pid !== undefined) this.pids[name] = child.pid;
    this.#programs.push({ name, child, log, ended });
  }

  /** Waits up to two minutes (a cold machine under load) for `ready`; a program that ends first is an error with its log. */
  async until(name: string, ready: () => Promise<boolean>): Promise<void> {
    const program = this.#programs.find((candidate) => candidate.name === name);
    const deadline = Date.now() + 120_000;
    while (!(await ready().catch(() => false))) {
      const ended = program?.child.exitCode !== null || program.child.signalCode !== null;
      if (program === undefined || ended || Date.now() > deadline) {
        const tail = program === undefined ? "" : readFileSync(program.log, "utf8").split("\n").slice(-20).join("\n");
        throw new Error(`${name} ${ended ? "ended" : "did not get ready"}; its log ends with\n${tail}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    // The API server needs its etcd until it has ended; otherwise it hangs and keeps its port.
    for (const { child, ended } of this.#programs.reverse()) {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
      const hard = setTimeout(() => child.kill("SIGKILL"), 20_000);
      await ended;
      clearTimeout(hard);
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function etcdFlags(folder: string, port: number, peerPort: number): string[] {
  const client = `http://127.0.0.1:${port}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  return [
    ...["--name", "etcd", "--data-dir", join(folder, "etcd"), "--unsafe-no-fsync", "--log-level", "error"],
    ...["--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer],
    ...["--initial-advertise-peer-urls", peer, "--initial-cluster", `etcd=${peer}`],
  ];
}

interface ApiServerPlace {
  readonly folder: string;
  readonly etcdPort: number;
  readonly port: number;
  readonly serviceCIDR: string;
}

/** Bound to loopback: no endpoints for itself, and services are dialled at their endpoints, never by the default route. */
function apiServerFlags({ folder, etcdPort, port, serviceCIDR }: ApiServerPlace): string[] {
  const at = (file: string) => join(folder, file);
  return [
    `--etcd-servers=http://127.0.0.1:${etcdPort}`,
    `--secure-port=${port}`,
    "--bind-address=127.0.0.1",
    "--advertise-address=127.0.0.1",
    "--endpoint-reconciler-type=none",
    "--enable-aggregator-routing=true",
    `--service-cluster-ip-range=${serviceCIDR}`,
    "--authorization-mode=Node,RBAC",
    "--enable-admission-plugins=NodeRestriction",
    "--allow-privileged=true",
    `--client-ca-file=${at("ca.crt")}`,
    `--tls-cert-file=${at("server.crt")}`,
    `--tls-private-key-file=${at("server.key")}`,
    `--kubelet-client-certificate=${at("kubelet-client.crt")}`,
    `--kubelet-client-key=${at("kubelet-client.key")}`,
    `--kubelet-certificate-authority=${at("ca.crt")}`,
    "--kubelet-preferred-address-types=InternalIP,Hostname",
    "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
    `--service-account-key-file=${at("service-account.pub")}`,
    `--service-account-signing-key-file=${at("service-account.key")}`,
    `--requestheader-client-ca-file=${at("proxy-ca.crt")}`,
    "--requestheader-allowed-names=front-proxy-client",
    "--requestheader-username-headers=X-Remote-User",
    "--requestheader-group-headers=X-Remote-Group",
    "--requestheader-extra-headers-prefix=X-Remote-Extra-",
    `--proxy-client-cert-file=${at("proxy-client.crt")}`,
    `--proxy-client-key-file=${at("proxy-client.key")}`,
    "--v=1",
  ];
}

interface ControllerManagerPlace {
  readonly folder: string;
  readonly serviceCIDR: string;
  readonly kubeconfig: string;
}

/** As system:masters with one credential for all controllers: right and fast, without a ClusterRole for each. */
function controllerManagerFlags({ folder, serviceCIDR, kubeconfig }: ControllerManagerPlace): string[] {
  const at = (file: string) => join(folder, file);
  return [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    "--secure-port=0",
    `--service-account-private-key-file=${at("service-account.key")}`,
    `--root-ca-file=${at("ca.crt")}`,
    `--cluster-signing-cert-file=${at("ca.crt")}`,
    `--cluster-signing-key-file=${at("ca.key")}`,
    "--use-service-account-credentials=false",
    "--leader-elect=false",
    "--allocate-node-cidrs=true",
    "--cluster-cidr=10.244.0.0/16",
    `--service-cluster-ip-range=${serviceCIDR}`,
  ];
}

function schedulerFlags(kubeconfig: string): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    "--secure-port=0",
    "--leader-elect=false",
  ];
}

async function writePki(name: string, folder: string) {
  const [ca, proxyCa, account] = await Promise.all([
    createCa({ commonName: `${name}-ca` }),
    createCa({ commonName: `${name}-proxy-ca` }),
    generateKeyPair("rsa"),
  ]);
  const [server, admin, kubelet, proxy] = await Promise.all([
    issueCertificate(ca, {
      commonName: "kube-apiserver",
      dnsNames: ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"],
      ipAddresses: ["127.0.0.1"],
      usages: ["server"],
      validSeconds: 86_400,
    }),
    clientCertificate(ca, "admin", ["system:masters"]),
    clientCertificate(ca, "kube-apiserver-kubelet-client", ["system:masters"]),
    clientCertificate(proxyCa, "front-proxy-client", []),
  ]);
  const files: Record<string, string> = {
    "ca.crt": ca.certificatePem,
    "ca.key": ca.privateKeyPem,
    "server.crt": server.certificatePem,
    "server.key": server.privateKeyPem,
    "kubelet-client.crt": kubelet.certificatePem,
    "kubelet-client.key": kubelet.privateKeyPem,
    "proxy-ca.crt": proxyCa.certificatePem,
    "proxy-client.crt": proxy.certificatePem,
    "proxy-client.key": proxy.privateKeyPem,
    "service-account.key": account.privateKeyPem,
    "service-account.pub": account.publicKeyPem,
  };
  await Promise.all(Object.entries(files).map(([file, text]) => writeFile(join(folder, file), text, { mode: 0o600 })));
  return { ca, admin };
}

function clientCertificate(ca: CertificateAndKey, user: string, groups: readonly string[]): Promise<CertificateAndKey> {
  return issueCertificate(ca, { commonName: user, organizations: groups, usages: ["client"], validSeconds: 86_400 });
}

function accessWith(server: string, name: string, ca: CertificateAndKey, identity: CertificateAndKey): ClusterAccess {
  return {
    server,
    caPem: ca.certificatePem,
    clientCertPem: identity.certificatePem,
    clientKeyPem: identity.privateKeyPem,
    contextName: name,
    clusterName: name,
    namespace: "default",
  };
}

function kubeconfigOf(access: ClusterAccess): string {
  const { clusterName: cluster, server, caPem = "", clientCertPem = "", clientKeyPem = "" } = access;
  const identity = { certificatePem: clientCertPem, privateKeyPem: clientKeyPem };
  return renderKubeconfig([{ cluster, server, caPem, user: "admin", identity }]);
}

/** Free a moment ago: whoever takes one in between makes the start fail with its log. */
async function freePorts(): Promise<[number, number, number]> {
  const servers = [createServer(), createServer(), createServer()];
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.once("error", reject);
          server.listen(0, "127.0.0.1", () => {
            const address = server.address();
            resolve(typeof address === "object" && address !== null ? address.port : 0);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  const [first = 0, second = 0, third = 0] = ports;
  return [first, second, third];
}

async function answers(url: string): Promise<boolean> {
  return (await fetch(url, { signal: AbortSignal.timeout(2000) })).ok;
}

const isReady = async (access: ClusterAccess) => (await statusOf(access, "/readyz")) === 200;

const hasDefaultAccount = async (access: ClusterAccess) =>
  (await statusOf(access, "/api/v1/namespaces/default/serviceaccounts/default")) === 200;

function statusOf(access: ClusterAccess, path: string): Promise<number> {
  const { server, caPem, clientCertPem, clientKeyPem } = access;
  return new Promise((resolve, reject) => {
    const options = { ca: caPem, cert: clientCertPem, key: clientKeyPem, agent: false, timeout: 5000 };
    const asked = request(`${server}${path}`, options, (response) => {
      response.resume();
      response.once("end", () => resolve(response.statusCode ?? 0));
    });
    asked.once("timeout", () => asked.destroy(new Error(`${path}: no answer in 5 s`)));
    asked.once("error", reject);
    asked.end();
  });
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
