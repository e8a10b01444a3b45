// What is in the images: layers by name, and images as lists of layers with what they start. A program of Node is a file
// that names its interpreter, so that images of ours need no shell.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { iptablesModules, libraryEntries, packageNotices, programEntries, realProgram } from "./host-programs.mjs";
import { pauseProgram } from "./pause-program.mjs";

/** The user of proxy and control plane, whose traffic is never redirected; the same as PROXY_UID in src/api. */
const PROXY_USER = 1337;
const NO_USER = 65532;
const PAUSE_USER = 65535;
const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const file = (path, content, mode = 0o644) => ({ type: "file", path, mode, content: Buffer.from(content) });
const directory = (path, mode = 0o755) => ({ type: "directory", path, mode });
const symlink = (path, target) => ({ type: "symlink", path, mode: 0o777, target });

const PASSWD = `root:x:0:0:root:/:/sbin/nologin
istio-proxy:x:${PROXY_USER}:${PROXY_USER}:istio-proxy:/:/sbin/nologin
nonroot:x:${NO_USER}:${NO_USER}:nonroot:/:/sbin/nologin
`;
const GROUP = `root:x:0:
istio-proxy:x:${PROXY_USER}:
nonroot:x:${NO_USER}:
`;

/** Users, names, time zone, and the roots that Node trusts; the C library and what Node needs beside it. */
function baseLayer({ node, roots }) {
  return withNotices([
    file("etc/passwd", PASSWD),
    file("etc/group", GROUP),
    file("etc/nsswitch.conf", "hosts: files dns\n"),
    file("etc/ssl/certs/ca-certificates.crt", roots),
    directory("run"),
    symlink("var/run", "../run"),
    directory("tmp", 0o1777),
    ...libraryEntries([node.program]),
  ]);
}

function nodeLayer({ node }) {
  const program = { type: "file", path: "usr/local/bin/node", mode: 0o755, source: node.program, strip: true };
  if (node.licence === undefined) return [program];
  return [program, { type: "file", path: "usr/share/doc/node/LICENSE", mode: 0o644, source: node.licence }];
}

function envoyLayer({ envoy }) {
  return [
    { type: "file", path: "usr/local/bin/envoy", mode: 0o755, source: envoy, strip: true },
    ...libraryEntries([envoy]),
  ];
}

/** iptables with its modules, and ip, which transparent interception asks for a routing table. */
function iptablesLayer() {
  const variants = ["iptables-nft", "iptables-legacy"].map((name) => realProgram(name, "iptables"));
  const [nft, legacy] = variants.map((path) => path.replace(/.*\//, ""));
  const links = ["iptables", "ip6tables"].flatMap((family) =>
    ["", "-restore", "-save"].flatMap((action) => [
      symlink(`usr/sbin/${family}${action}`, nft),
      symlink(`usr/sbin/${family}-nft${action}`, nft),
      symlink(`usr/sbin/${family}-legacy${action}`, legacy),
    ]),
  );
  return withNotices([
    ...programEntries("iptables-nft", `usr/sbin/${nft}`, "iptables"),
    ...programEntries("iptables-legacy", `usr/sbin/${legacy}`, "iptables"),
    ...programEntries("ip", "sbin/ip", "iproute2"),
    ...iptablesModules(),
    ...links,
  ]);
}

const SHELL_PROGRAMS = ["cat", "date", "echo", "env", "head", "hostname", "id", "ls", "sleep", "tail", "true", "wc"];

/** A shell, what one types first in it, and curl. */
function toolsLayer() {
  return withNotices([
    ...programEntries("dash", "bin/sh", "dash"),
    ...SHELL_PROGRAMS.flatMap((name) => programEntries(name, `bin/${name}`, "coreutils hostname")),
    ...programEntries("grep", "bin/grep", "grep"),
    ...programEntries("curl", "usr/bin/curl", "curl"),
    symlink("usr/bin/env", "../../bin/env"),
  ]);
}

function withNotices(entries) {
  return [...entries, ...packageNotices(entries)];
}

/** The bundle of one program, and a file on PATH that starts it. `flags` is one argument of Node. */
function programLayer({ name, flags, bundles }) {
  const home = "usr/local/lib/isthmus";
  const folder = join(bundles, name);
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const start = `#!/usr/local/bin/node ${flags}\nrequire("/${home}/${name}.cjs");\n`;
  return [
    ...files.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return file(`${home}/${path.slice(folder.length + 1)}`, readFileSync(path));
    }),
    file(`usr/local/bin/${name}`, start, 0o755),
  ];
}

/** Young objects live in a space of one MiB: these programs have hundreds of copies, or stand beside each pod. */
const SMALL_HEAP = "--max-semi-space-size=1";

const CURL_ENTRY = `#!/bin/sh
# Arguments alone are curl's: kubectl run NAME --image=curlimages/curl -- -sS http://web
command -v -- "$1" >/dev/null || set -- curl "$@"
exec "$@"
`;

/** Layers by name; each is a function of what the build found: node, envoy, roots, bundles, samples. */
export const LAYERS = {
  base: baseLayer,
  node: nodeLayer,
  envoy: envoyLayer,
  iptables: iptablesLayer,
  tools: toolsLayer,
  "pilot-discovery": ({ bundles }) => programLayer({ name: "pilot-discovery", flags: "--enable-source-maps", bundles }),
  "pilot-agent": ({ bundles }) => programLayer({ name: "pilot-agent", flags: SMALL_HEAP, bundles }),
  "playground-dns": ({ bundles }) => programLayer({ name: "playground-dns", flags: SMALL_HEAP, bundles }),
  helloworld: ({ samples }) => [
    file("opt/microservices/app.mjs", readFileSync(join(samples, "helloworld", "src", "app.mjs"))),
  ],
  pause: () => [file("pause", pauseProgram(), 0o755)],
  "curl-entry": () => [file("entrypoint.sh", CURL_ENTRY, 0o755)],
};

/** The programs that are bundled, each for itself. */
export const PROGRAMS = ["pilot-discovery", "pilot-agent", "playground-dns"];

const ofUser = (uid, config) => ({
  User: `${uid}:${uid}`,
  WorkingDir: "/",
  ...config,
  Env: [PATH, ...(config.Env ?? [])],
});

const pilot = ofUser(PROXY_USER, { Entrypoint: ["/usr/local/bin/pilot-discovery"], Cmd: ["discovery"] });
const proxy = ofUser(PROXY_USER, {
  Entrypoint: ["/usr/local/bin/pilot-agent"],
  Env: ["ISTIO_META_ISTIO_PROXY_SHA=isthmus"],
});
const helloworld = (version) =>
  ofUser(NO_USER, {
    Entrypoint: ["/usr/local/bin/node", SMALL_HEAP, "/opt/microservices/app.mjs"],
    Env: [`SERVICE_VERSION=${version}`],
    ExposedPorts: { "5000/tcp": {} },
  });

const NODE_LAYERS = ["base", "node"];
const PROXY_LAYERS = [...NODE_LAYERS, "envoy", "iptables"];

/**
 * The images. `name` stands between hub and tag; `variant` is appended to the tag as Istio does; `alsoNamed` is what the
 * samples of Istio's guide call the image.
 */
export const IMAGES = [
  ...[undefined, "distroless"].map((variant) => ({
    name: "pilot",
    variant,
    title: "Isthmus control plane",
    layers: [...NODE_LAYERS, "pilot-discovery"],
    config: pilot,
  })),
  {
    name: "proxyv2",
    title: "Isthmus agent with Envoy",
    layers: [...PROXY_LAYERS, "tools", "pilot-agent"],
    config: proxy,
  },
  {
    name: "proxyv2",
    variant: "distroless",
    title: "Isthmus agent with Envoy, without a shell",
    layers: [...PROXY_LAYERS, "pilot-agent"],
    config: proxy,
  },
  {
    name: "playground-dns",
    title: "Cluster DNS",
    layers: [...NODE_LAYERS, "playground-dns"],
    config: ofUser(NO_USER, {
      Entrypoint: ["/usr/local/bin/playground-dns"],
      ExposedPorts: { "53/udp": {}, "53/tcp": {} },
    }),
  },
  ...["v1", "v2"].map((version) => ({
    name: `examples-helloworld-${version}`,
    title: `Sample application helloworld ${version}`,
    layers: [...NODE_LAYERS, "helloworld"],
    config: helloworld(version),
    alsoNamed: [`docker.io/istio/examples-helloworld-${version}:latest`],
  })),
  {
    name: "curl",
    title: "curl in a shell",
    layers: ["base", "tools", "curl-entry"],
    config: ofUser(NO_USER, { Entrypoint: ["/entrypoint.sh"], Cmd: ["sleep", "infinity"] }),
    alsoNamed: ["curlimages/curl:latest"],
  },
  {
    name: "pause",
    title: "Holds a pod's namespaces",
    layers: ["pause"],
    config: ofUser(PAUSE_USER, { Entrypoint: ["/pause"] }),
  },
];
