// The rules at work in a network namespace: who is sent to the proxy, and who is left alone.
import { execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "#base/until";

const root = join(import.meta.dirname, "../../..");
const ns = `iptables-${process.pid}`;
const canRun = process.getuid?.() === 0;
const GUIDE = ["-p", "15001", "-z", "15006", "-u", "1337", "-m", "REDIRECT", "-i", "*", "-x", "", "-b", "*", "-d"];

function inNs(...command: string[]): string {
  return execFileSync("ip", ["netns", "exec", ns, ...command], {
    encoding: "utf8",
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

const setRules = (...args: string[]) =>
  inNs("node", "--conditions=source", "--import", "tsx", "src/bin/pilot-agent.ts", "istio-iptables", ...args);

/** Listens on a port and answers with its number. */
const LISTENER = `for (const port of [15001, 15006, 8080]) require("net")
  .createServer((s) => { s.on("error", () => {}); s.end(String(port)); }).listen(port, "0.0.0.0")`;

/** Dials as a user, from an address where one is told, and says which listener answered. */
function dial(uid: number, to: string, from?: string): string {
  const [host, port] = to.split(":");
  const script = `const s = require("net").connect({host:"${host}",port:${port},localAddress:${JSON.stringify(from)}});
    s.setTimeout(10000, () => { console.log("nobody"); process.exit() });
    s.on("error", () => { console.log("nobody"); process.exit() }).on("data", (d) => { console.log(d.toString()); process.exit() })`;
  const user = ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups"];
  return inNs(...user, "node", "-e", script).trim();
}

let listener: ReturnType<typeof spawn> | undefined;

beforeAll(async () => {
  if (!canRun) return;
  execFileSync("ip", ["netns", "add", ns]);
  inNs("ip", "link", "set", "lo", "up");
  inNs("ip", "addr", "add", "10.244.0.7/32", "dev", "lo");
  inNs("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth1");
  for (const link of ["eth0", "eth1"]) inNs("ip", "link", "set", link, "up");
  inNs("ip", "addr", "add", "192.0.2.2/24", "dev", "eth0");
  setRules(...GUIDE, "15090,15021,15020");
  listener = spawn("ip", ["netns", "exec", ns, "node", "-e", LISTENER], { stdio: "ignore" });
  await until(() => inNs("ss", "-lnt").includes(":15006"), { reason: "the listeners listen", timeoutMs: 60_000 });
});

afterAll(() => {
  if (!canRun) return;
  listener?.kill("SIGKILL");
  execFileSync("ip", ["netns", "del", ns]);
});

describe.skipIf(!canRun)("istio-iptables with the injector's arguments", () => {
  test("the application's outbound traffic goes to the proxy, the proxy's own does not", () => {
    expect(dial(1000, "192.0.2.9:80")).toBe("15001");
    expect(dial(1337, "192.0.2.9:80")).toBe("nobody");
  });

  test("loopback is left alone", () => {
    expect(dial(1000, "127.0.0.1:8080")).toBe("8080");
    expect(dial(1000, "10.244.0.7:8080")).toBe("8080");
  });

  test("the proxy that calls its own pod comes in by the proxy's door, but not from its passthrough address", () => {
    expect(dial(1337, "10.244.0.7:8080")).toBe("15006");
    expect(dial(1337, "10.244.0.7:8080", "127.0.0.6")).toBe("8080");
  });

  test("setting the rules again changes nothing", () => {
    const before = inNs("iptables-save", "-t", "nat").replace(/\[.*\]|#.*/g, "");
    setRules(...GUIDE, "15090,15021,15020");
    expect(inNs("iptables-save", "-t", "nat").replace(/\[.*\]|#.*/g, "")).toBe(before);
    expect(before.match(/-j ISTIO_OUTPUT/g)).toHaveLength(1);
  });

  test("every form of the rules is taken by the kernel's tools", () => {
    const check = (flags: string[], family = "iptables-restore") => {
      const text = setRules("--dry-run", ...flags);
      execFileSync("ip", ["netns", "exec", ns, family, "--noflush", "--test"], {
        input: text,
        stdio: ["pipe", "pipe", "pipe"],
      });
      return text;
    };
    check(["-i", "10.96.0.0/16,172.16.0.0/12", "-x", "10.96.0.1/32", "-b", "80,443", "-o", "25", "-q", "5432"]);
    check(["-i", "*", "-b", "*", "-c", "eth0", "-k", "net1"]);
    expect(check(["-i", "*", "-b", "*", "--redirect-dns"])).toContain("ISTIO_OUTPUT_DNS");
    expect(check(["-i", "*", "-b", "*", "-m", "TPROXY"])).toContain("ISTIO_TPROXY");
  });
});
