// Asks a real API server of the release for the facts that no schema tells, and writes them to gen/: what
// discovery says of every resource, the columns of every table, bookmarks, the objects that a new cluster has.
// The server comes from the cache that tools/kubernetes fills, or from KUBE_BIN; it lives on loopback for some seconds.
import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fetchModels } from "../kubernetes-descriptions.mjs";
import { recordDescriptions } from "./kubernetes-descriptions.mjs";
import { recordOpenApi } from "./kubernetes-open-api.mjs";
import { recordBookmarks, recordColumns } from "./kubernetes-tables.mjs";

/** The schemas are those of the first release of the same minor. */
export const SERVER_RELEASE = "1.35.4";
const TOKEN = "generate";
const AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
/** Resources whose objects a new cluster has; the services and slices of the API server itself depend on its address. */
const BORN = [
  "/api/v1/namespaces",
  "/apis/rbac.authorization.k8s.io/v1/clusterroles",
  "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
  "/apis/rbac.authorization.k8s.io/v1/roles",
  "/apis/rbac.authorization.k8s.io/v1/rolebindings",
  "/apis/scheduling.k8s.io/v1/priorityclasses",
  "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas",
  "/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations",
  "/apis/apiregistration.k8s.io/v1/apiservices",
];

export async function recordKubernetesServer(root) {
  const folder = process.env.KUBE_BIN ?? join(cacheHome(), "isthmus/kubernetes", SERVER_RELEASE);
  if (!existsSync(join(folder, "kube-apiserver"))) {
    throw new Error(
      `no kube-apiserver ${SERVER_RELEASE} in ${folder}: build it with isthmus playground up --engine kubernetes, or name its folder in KUBE_BIN`,
    );
  }
  const server = await start(folder);
  try {
    const out = join(root, "tools/generate/gen");
    mkdirSync(out, { recursive: true });
    const write = (name, value) => writeFileSync(join(out, name), `${JSON.stringify(value, null, 1)}\n`);
    const groups = [...(await server.get("/api", AGGREGATED)).items, ...(await server.get("/apis", AGGREGATED)).items];
    const hashes = await storageHashes(server, groups);
    write("discovery.json", { release: SERVER_RELEASE, groups: groups.map(groupFacts), hashes });
    const listed = versionsOf(groups).flatMap(({ root: at, resources }) =>
      resources.filter(({ verbs }) => verbs.includes("list")).map(({ resource }) => `${at}/${resource}`),
    );
    write("columns.json", await recordColumns(server.get, listed, fetchModels()));
    const watched = versionsOf(groups).flatMap(({ root: at, resources }) =>
      resources.filter(({ verbs }) => verbs.includes("watch")).map(({ resource }) => `${at}/${resource}`),
    );
    write("bookmarks.json", await recordBookmarks(server.get, watched));
    write("open-api.json", { release: SERVER_RELEASE, ...(await recordOpenApi(server.get)) });
    await recordDescriptions(server.get, root);
    write("born.json", (await Promise.all(BORN.map((path) => born(server, path)))).flat());
  } finally {
    await server.stop();
  }
}

const cacheHome = () => process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");

const groupFacts = ({ metadata, versions }) => ({
  group: metadata.name ?? "",
  versions: versions.map(({ version, resources }) => ({ version, resources })),
});

const versionsOf = (groups) =>
  groups.map(groupFacts).flatMap(({ group, versions }) =>
    versions.map(({ version, resources }) => {
      const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
      return { group, version, root, resources };
    }),
  );

/** By `group/version/plural`: the hash of the group, version and kind in which a resource's objects are kept. */
async function storageHashes(server, groups) {
  const found = {};
  for (const { group, version, root } of versionsOf(groups)) {
    const { resources } = await server.get(root, "application/json");
    for (const { name, storageVersionHash: hash } of resources) if (hash) found[`${group}/${version}/${name}`] = hash;
  }
  return found;
}

async function born(server, path) {
  const { apiVersion, kind, items } = await server.get(path, "application/json");
  return items.map((item) => withoutTimes({ apiVersion, kind: kind.replace(/List$/, ""), ...item }));
}

/** What differs from one cluster to the next goes: identity, revision, times. */
function withoutTimes({ metadata, status, ...object }) {
  const { uid: _u, resourceVersion: _r, creationTimestamp: _c, managedFields: _m, generation: _g, ...kept } = metadata;
  const conditions = status?.conditions?.map(({ lastTransitionTime: _t, ...condition }) => condition);
  const state =
    status === undefined ? {} : { status: { ...status, ...(conditions === undefined ? {} : { conditions }) } };
  return { ...object, metadata: kept, ...state };
}

async function start(folder) {
  const dir = mkdtempSync(join(tmpdir(), "isthmus-generate-"));
  const [client, peer, port] = await Promise.all([freePort(), freePort(), freePort()]);
  const { privateKey, publicKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  const file = (name, text) => {
    writeFileSync(join(dir, name), text, { mode: 0o600 });
    return join(dir, name);
  };
  const local = (number) => `http://127.0.0.1:${number}`;
  const programs = [
    run(join(folder, "etcd"), [
      `--data-dir=${join(dir, "etcd")}`,
      `--listen-client-urls=${local(client)}`,
      `--advertise-client-urls=${local(client)}`,
      `--listen-peer-urls=${local(peer)}`,
      "--unsafe-no-fsync",
    ]),
    run(join(folder, "kube-apiserver"), [
      `--etcd-servers=${local(client)}`,
      `--secure-port=${port}`,
      "--bind-address=127.0.0.1",
      "--advertise-address=127.0.0.1",
      "--endpoint-reconciler-type=none",
      "--enable-aggregator-routing",
      "--service-cluster-ip-range=10.96.0.0/16",
      "--authorization-mode=Node,RBAC",
      "--enable-admission-plugins=NodeRestriction",
      "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
      `--service-account-key-file=${file("sa.pub", publicKey)}`,
      `--service-account-signing-key-file=${file("sa.key", privateKey)}`,
      `--token-auth-file=${file("tokens", `${TOKEN},generate,generate,system:masters\n`)}`,
      `--cert-dir=${dir}`,
    ]),
  ];
  const get = (path, accept, options = {}) => getJson({ port, path, accept, ...options });
  await ready(get, programs);
  const stop = async () => {
    for (const program of programs.toReversed()) await program.end();
    rmSync(dir, { recursive: true, force: true });
  };
  return { get, stop };
}

function run(file, args) {
  const child = spawn(file, args, { stdio: "ignore" });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const end = () => {
    child.kill();
    return ended;
  };
  return { child, end };
}

async function ready(get, programs) {
  for (let tries = 0; tries < 300; tries++) {
    if (programs.some(({ child }) => child.exitCode !== null)) break;
    const body = await get("/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas", "application/json").catch(() => ({}));
    const well = await get("/readyz", "application/json").catch(() => undefined);
    if (well === "ok" && body.items?.length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  for (const program of programs) await program.end();
  throw new Error("the API server did not become ready");
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** The server's certificate is its own of this moment: there is none to check it against. `raw`: text stays text. */
function getJson({ port, path, accept, raw = false }) {
  const headers = { accept, authorization: `Bearer ${TOKEN}` };
  return new Promise((resolve, reject) => {
    const call = request({ host: "127.0.0.1", port, path, headers, rejectUnauthorized: false }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        resolve(text.startsWith("{") && !raw ? JSON.parse(text) : text);
      });
    });
    call.on("error", reject);
    call.end();
  });
}
