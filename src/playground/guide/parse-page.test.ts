import { expect, test } from "vitest";
import { countAnswers, whyNotSpread } from "./call-spread.ts";
import { parsePage } from "./parse-page.ts";
import { allReady, awaitsReady } from "./run-page.ts";

test("commands, continuations, heredocs, file markers and sample answers are told apart", () => {
  const page = [
    "text",
    "{{< text bash >}}",
    "$ cat <<EOF > a.yaml",
    "kind: X",
    "EOF",
    "{{< /text >}}",
    "```bash",
    "$ MESH=m \\",
    "    @samples/run.sh@ | \\",
    "    kubectl apply -f -",
    "$ kubectl get pod",
    "NAME  READY  STATUS",
    "a     2/2    Running",
    "```",
    "{{< text plain >}}",
    "$ not a command",
    "{{< /text >}}",
  ].join("\n");
  const commands = parsePage(page);
  expect(commands.map((command) => command.text)).toEqual([
    "cat <<EOF > a.yaml\nkind: X\nEOF",
    "MESH=m \\\n    samples/run.sh | \\\n    kubectl apply -f -",
    "kubectl get pod",
  ]);
  expect(commands[2]?.line).toBe(11);
  expect(commands.map(awaitsReady)).toEqual([false, false, true]);
});

test("a block or heredoc that never ends is named by its line", () => {
  expect(() => parsePage("```bash\n$ a")).toThrow(/line 1/);
  expect(() => parsePage("```bash\n$ cat <<EOF\nx\n```")).toThrow(/EOF of the command on line 2/);
});

test("pods are ready when every row is", () => {
  expect(allReady("NAME READY STATUS\na 2/2 Running\n")).toBe(true);
  expect(allReady("NAME READY STATUS\na 2/2 Running\nb 1/2 Running\n")).toBe(false);
  expect(allReady("No resources found")).toBe(false);
});

test("a spread keeps the promise only without errors and near one half", () => {
  const answers = (v1: number, v2: number) => [
    ...Array.from({ length: v1 }, () => "Hello version: v1, instance: a"),
    ...Array.from({ length: v2 }, () => "Hello version: v2, instance: b"),
  ];
  const why = (lines: string[]) => whyNotSpread(countAnswers("cluster1", 200, lines), ["v1", "v2"]);
  expect(why(answers(90, 110))).toBeUndefined();
  expect(why(answers(200, 0))).toContain("never reached version v2");
  expect(why(answers(20, 180))).toContain("far from 100");
  expect(why([...answers(100, 99), "curl: (7)"])).toContain("1 of 200 calls");
  expect(why(answers(100, 99))).toContain("no answer");
});
