// `kubectl run` with something typed into the container: its standard input, its terminal, its first words, its exit code.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "#base/until";
import { bootPlayground, type TestPlayground, whyNoPlayground } from "../../kit/playground.ts";

/** Every kind of nodes has it. */
const IMAGE = "curlimages/curl";

describe.skipIf(whyNoPlayground())("kubectl run", () => {
  let playground: TestPlayground;
  let serial = 0;
  beforeAll(async () => {
    playground = await bootPlayground({ flags: ["--no-common-root"] });
  });
  afterAll(() => playground?.down());

  const words = (flags: readonly string[], command: readonly string[]) => {
    serial += 1;
    const own = ["run", `p${serial}`, "--context", "cluster1", `--image=${IMAGE}`, "--restart=Never", "--rm"];
    return [...own, ...flags, "--", ...command];
  };
  const run = (command: readonly string[], input = "") =>
    playground.run("kubectl", words(["-i"], command), { input, timeoutMs: 60_000 });

  test("passes what is typed, to its end", async () => {
    const lines = "one\ntwo\n".repeat(1000);
    const { stdout, exitCode } = await run(["cat"], lines);
    expect({ exitCode, same: stdout.startsWith(lines) }).toEqual({ exitCode: 0, same: true });
  });

  // A kubelet shows a client what comes after it, and no more.
  test.skipIf(process.env["ISTHMUS_NODES"] === "kubelet")(
    "shows what was written before the client came, and the exit code",
    async () => {
      const { stdout, exitCode } = await run(["sh", "-c", "echo first; sleep 1; echo last; exit 5"]);
      expect(stdout).toMatch(/^first\nlast\n/);
      expect(exitCode).toBe(5);
    },
  );

  test("shows what was written before to a client that has not read it in the log", async () => {
    const own = ["--image", IMAGE, "--restart=Never", "--stdin", "--attach=false", "--context", "cluster1"];
    const kubectl = (args: readonly string[], input = "") =>
      playground.run("kubectl", [...args, "--context", "cluster1"], { input, timeoutMs: 60_000 });
    await playground.run("kubectl", ["run", "read", ...own, "--", "sh", "-c", "echo first; read word; echo $word"], {});
    await until(async () => (await kubectl(["logs", "read"])).stdout === "first\n", {
      reason: "the log has words",
      timeoutMs: 60_000,
    });
    const { stdout } = await kubectl(["attach", "-i", "read"], "typed\n");
    expect(stdout).toBe("typed\n");
    await kubectl(["delete", "pod", "read", "--wait=false"]);
  });

  test("gives curl's image curl's arguments", async () => {
    const kubectl = (args: readonly string[]) => playground.run("kubectl", [...args, "--context", "cluster1"]);
    const own = ["run", "curl", `--image=${IMAGE}`, "--restart=Never", "--context", "cluster1"];
    await playground.ok("kubectl", [...own, "--", "-sk", "https://kubernetes.default/readyz"]);
    // From its log: a program that is done before a client attaches tells that client nothing.
    const said = async () => (await kubectl(["logs", "curl"])).stdout === "ok";
    await until(said, { reason: "curl was answered", timeoutMs: 60_000 });
    await kubectl(["delete", "pod", "curl", "--wait=false"]);
  });

  test("gives a terminal when it is asked for", async () => {
    const command = ["sh", "-c", "'read word; test -t 0 && test -t 1 && echo $word on $TERM'"];
    const line = ["kubectl", ...words(["-it"], command)].join(" ");
    const how = { input: "typed\n", timeoutMs: 60_000 };
    const { stdout } = await playground.run("script", ["-qec", line, "/dev/null"], how);
    expect(stdout).toContain("typed on xterm");
  });
});
