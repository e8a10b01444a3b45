// Where the programs of a Kubernetes release come from: folders with scripts in their place, and a Go that only writes
// down what it was asked to build.
import { type SpawnSyncReturns, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const TOOL = join(import.meta.dirname, "..", "..", "tools", "kubernetes-programs.mjs");
const RELEASE = "1.35.4";

let folder: string;
const at = (...path: string[]) => join(folder, ...path);
const cached = (...path: string[]) => at("cache", "isthmus", "kubernetes", RELEASE, ...path);

function script(path: string, body: string): void {
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
}

/** Answers `go env`, and for `go build` makes an executable at -o; each build is a line of `builds`. */
const fakeGo = (build = "") =>
  script(
    at("path", "go"),
    `if [ "$1" = env ]; then echo go1.26.8; exit; fi
${build}
while [ "$1" != -o ]; do shift; done
echo "$3" >> '${at("builds")}'
echo "#!/bin/sh" > "$2"; chmod 755 "$2"`,
  );
const builds = () => (existsSync(at("builds")) ? readFileSync(at("builds"), "utf8").trim().split("\n") : []);

const environment = (more: Record<string, string> = {}) => ({
  PATH: at("path"),
  HOME: at("home"),
  XDG_CACHE_HOME: at("cache"),
  ...more,
});
const run = (args: readonly string[], more?: Record<string, string>): SpawnSyncReturns<string> =>
  spawnSync(process.execPath, [TOOL, ...args, "-o", "json"], { env: environment(more), encoding: "utf8" });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-programs-"));
  for (const name of ["path", "home", "cache", "own"]) mkdirSync(at(name));
  // What the scripts call; nothing else of this machine must be found.
  for (const name of ["sh", "chmod", "sleep"]) symlinkSync(`/bin/${name}`, at("path", name));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("programs of a Kubernetes release", () => {
  test("in KUBE_BIN win, whatever their version", () => {
    script(at("own", "etcd"), "echo etcd Version: 3.4.23");
    script(at("path", "etcd"), "echo etcd Version: 3.6.9");
    const { status, stdout } = run(["etcd"], { KUBE_BIN: at("own") });
    expect([status, JSON.parse(stdout)]).toEqual([0, { etcd: at("own", "etcd") }]);
  });

  test("in KUBE_BIN are told of when they are missing there or of another release", () => {
    script(at("own", "etcd"), "echo etcd Version: 3.4.23");
    script(at("path", "kubectl"), "[ $1 = version ] && echo Client Version: v1.35.0");
    const { status, stdout, stderr } = run(["etcd", "kubectl"], { KUBE_BIN: at("own") });
    expect([status, JSON.parse(stdout)]).toEqual([0, { etcd: at("own", "etcd"), kubectl: at("path", "kubectl") }]);
    expect(stderr).toContain(`${at("own", "etcd")} is of another release than 1.35.4: etcd Version: 3.4.23`);
    expect(stderr).toContain(`KUBE_BIN=${at("own")} has no kubectl: ${at("path", "kubectl")} takes its place`);
  });

  test("in KUBE_BIN that cannot be meant are refused by name", () => {
    const refusal = (more: Record<string, string>) => {
      const { status, stderr } = run(["etcd"], more);
      return `${status} ${stderr}`;
    };
    script(at("path", "etcd"), "echo etcd Version: 3.6.9");
    expect(refusal({ KUBE_BIN: at("nowhere") })).toContain(`1 kubernetes: KUBE_BIN=${at("nowhere")} is no folder`);
    expect(refusal({ KUBE_BIN: at("path", "etcd") })).toContain("is no folder");
    script(at("own", "etcd"), "true");
    expect(refusal({ KUBE_BIN: at("own") })).toContain(`${at("own", "etcd")} (of KUBE_BIN) is no etcd`);
    chmodSync(at("own", "etcd"), 0o644);
    expect(refusal({ KUBE_BIN: at("own") })).toContain(`${at("own", "etcd")} (of KUBE_BIN) cannot be run`);
  });

  test("on PATH count only with the release's minor version", () => {
    script(at("path", "etcd"), "echo etcd Version: 3.6.9");
    script(at("path", "kube-apiserver"), "echo Kubernetes v1.34.2");
    script(at("path", "kubectl"), "[ $1 = version ] && echo Client Version: v1.35.0");
    const { status, stdout, stderr } = run(["etcd", "kube-apiserver", "kubectl", "--find"]);
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toEqual({ etcd: at("path", "etcd"), kubectl: at("path", "kubectl") });
    expect(stderr).toContain("missing: kube-apiserver");
  });

  test("are built once into the cache, with progress, and found there from then on", () => {
    fakeGo();
    const first = run(["etcd", "kube-scheduler"]);
    const built = { etcd: cached("etcd"), "kube-scheduler": cached("kube-scheduler") };
    expect([first.status, JSON.parse(first.stdout)]).toEqual([0, built]);
    expect(first.stderr).toMatch(/build kube-scheduler 1\.35\.4 \(2 of 2\): \d+ s/);
    expect(readdirSync(cached())).toEqual(["etcd", "kube-scheduler"]);
    const second = run(["etcd", "kube-scheduler"]);
    expect([second.status, JSON.parse(second.stdout), second.stderr]).toEqual([0, built, ""]);
    expect(builds()).toEqual(["go.etcd.io/etcd/server/v3", "k8s.io/kubernetes/cmd/kube-scheduler"]);
  });

  test("asked for twice at once are built once", async () => {
    // Builds only when the other command is waiting for it: the file is made below.
    fakeGo(`until [ -e '${at("go-on")}' ]; do sleep 0.05; done`);
    const ask = () => {
      const child = spawn(process.execPath, [TOOL, "etcd"], { env: environment(), stdio: ["ignore", "pipe", "pipe"] });
      child.stderr.on("data", (chunk: Buffer) => {
        if (chunk.toString().includes("another process is building")) writeFileSync(at("go-on"), "");
      });
      return new Promise<number | null>((resolve) => child.on("close", resolve));
    };
    expect(await Promise.all([ask(), ask()])).toEqual([0, 0]);
    expect(builds()).toEqual(["go.etcd.io/etcd/server/v3"]);
  });

  test("that cannot be built leave nothing behind and say what the compiler said", () => {
    fakeGo("echo 'checksum mismatch' >&2; exit 1");
    const { status, stderr } = run(["etcd"]);
    expect(status).toBe(1);
    expect(stderr).toContain("checksum mismatch");
    expect(readdirSync(cached())).toEqual([]);
  });

  test("without Go and without a way to get it are a sentence", () => {
    const { status, stderr } = run(["etcd"]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/python3 with pip is needed to fetch Go: .*or put Go [\d.]+ or newer on PATH/);
  });

  test.each([[["--version", "1.2.3"]], [["kube-nothing"]], [["-o", "xml"]]])("%j is wrong usage", (args) => {
    expect(spawnSync(process.execPath, [TOOL, ...args], { env: environment() }).status).toBe(2);
  });
});
