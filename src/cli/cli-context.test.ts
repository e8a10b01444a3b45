import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { runCli } from "../../tests/kit/run-cli.ts";
import { moveClusterFlags } from "./cli-context.ts";
import { buildProgram } from "./istioctl.ts";

const io = { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, environment: {} };

describe("cluster flags before a command", () => {
  const program = buildProgram("istioctl", io);
  test.each([
    ["--context=c1 install -y", "install --context=c1 -y"],
    ["--context c1 -i ns install -f -", "install --context c1 -i ns -f -"],
    ["-n ns x --kubeconfig=f create-remote-secret --name=a", "x create-remote-secret -n ns --kubeconfig=f --name=a"],
    ["pc -n ns endpoint pod --port 5", "pc endpoint -n ns pod --port 5"],
    ["install --context=c1", "install --context=c1"],
    ["--nonsense install", "--nonsense install"],
    ["--context", "--context"],
    ["", ""],
  ])("%j", (given, moved) => {
    const words = given.split(" ").filter((word) => word !== "");
    expect(moveClusterFlags(program, words).join(" ")).toBe(moved);
  });
});

describe("exit codes", () => {
  test.each([
    [0, ["--help"]],
    [0, ["install", "--help"]],
    [0, ["--version"]],
    [0, ["version", "--remote=false"]],
    [0, ["manifest", "generate", "--set", "profile=empty"]],
    [1, ["manifest", "generate", "--set", "profile=nothing"]],
    [1, ["manifest", "generate", "-f", "/does/not/exist"]],
    [1, ["install", "-y"]],
    [1, ["proxy-config", "cluster", "-f", "/does/not/exist"]],
    [2, ["nonsense"]],
    [2, ["install", "--nonsense"]],
    [2, ["install", "--readiness-timeout=soon"]],
    [2, ["manifest", "generate", "--set", "novalue"]],
    [2, ["uninstall"]],
    [2, ["uninstall", "-y"]],
    [2, ["proxy-config", "cluster"]],
    [2, ["proxy-config", "cluster", "pod", "-o", "xml"]],
    [2, ["proxy-status", "-o", "xml"]],
    [2, ["create-remote-secret", "--type", "other"]],
    [2, ["create-remote-secret", "--auth-type", "plugin"]],
    [2, ["create-remote-secret", "--name", "Not_A_Label"]],
  ])("%i: %j", async (exitCode, args) => {
    expect((await runCli(args)).exitCode).toBe(exitCode);
  });

  test("a failure says what, where and what next, on standard error only", async () => {
    expect(await runCli(["install", "-y"])).toEqual({
      exitCode: 1,
      stdout: "",
      stderr:
        "Error: no kubeconfig found at /does/not/exist\n" +
        '  set KUBECONFIG or pass --kubeconfig; for a local playground: eval "$(isthmus playground env)"\n',
    });
  });

  test("charts are not read, and that is told", async () => {
    const answer = await runCli(["manifest", "generate", "--set", "profile=empty", "-d", "charts"]);
    expect(answer).toEqual({
      exitCode: 0,
      stdout: "",
      stderr: "Warning: charts is not read: the manifests are part of this program\n",
    });
  });

  test("nobody answers the prompt of an installation from standard input", async () => {
    const environment = { KUBECONFIG: undefined };
    const input = "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\n";
    const kubeconfig = new URL("./testdata/kubeconfig.yaml", import.meta.url).pathname;
    const answer = await runCli(["install", "-f", "-", "--kubeconfig", kubeconfig], { input, environment });
    expect(answer).toMatchObject({ exitCode: 1, stdout: expect.stringMatching(/\(y\/N\) \nCancelled\.\n$/) });
    expect(answer.stderr).toContain("pass -y");
  });
});

describe("help", () => {
  const all = (command: Command, path: readonly string[]): (readonly string[])[] => [
    path,
    ...command.commands.flatMap((child) => all(child, [...path, child.name()])),
  ];
  const paths = all(buildProgram("istioctl", io), []).map((path) => [path.join(" "), path] as const);

  test.each(paths)("istioctl %s --help has an example", async (_, path) => {
    const { exitCode, stdout } = await runCli([...path, "--help"]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/\nExample:\n {2}istioctl /);
  });

  test("every flag has a sentence", () => {
    const flags = (command: Command): string[] => [
      ...command.options.filter((option) => option.description === "").map((option) => option.flags),
      ...command.commands.flatMap(flags),
    ];
    expect(flags(buildProgram("istioctl", io))).toEqual([]);
  });
});
