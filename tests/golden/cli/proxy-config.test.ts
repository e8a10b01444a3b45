// The tables of `istioctl proxy-config`, from what a real Envoy answered (a sleep pod of the guide, parts left out).
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { expectGolden } from "../../kit/golden.ts";
import { runCli } from "../../kit/run-cli.ts";

const FOLDER = join(import.meta.dirname, "proxy-config");
const DUMP = join(FOLDER, "config-dump.json");
const CLUSTERS = join(FOLDER, "clusters.json");

// The certificate in the dump is valid on this day.
beforeAll(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: new Date("2026-11-21T14:00:00Z") });
});
afterAll(() => {
  vi.useRealTimers();
});

const HOST = "helloworld.sample.svc.cluster.local";

describe("proxy-config tables", () => {
  test.each([
    ["cluster", ["cluster", "-f", DUMP]],
    ["cluster-filtered", ["clusters", "-f", DUMP, "--fqdn", HOST, "--direction", "outbound", "--port", "5000"]],
    ["listener", ["listener", "-f", DUMP]],
    ["listener-brief", ["l", "-f", DUMP, "--verbose=false"]],
    ["listener-filtered", ["listeners", "-f", DUMP, "--port", "15021", "--type", "http", "--address", "10.96.0.17"]],
    ["route", ["route", "-f", DUMP]],
    ["route-brief", ["r", "-f", DUMP, "--verbose", "false"]],
    ["route-filtered", ["routes", "-f", DUMP, "--name", "5000"]],
    ["endpoint", ["endpoint", "-f", CLUSTERS]],
    ["endpoint-filtered", ["ep", "-f", CLUSTERS, "--cluster", `outbound|5000||${HOST}`, "--port", "15443"]],
    ["endpoint-of-dump", ["endpoints", "-f", DUMP, "--status", "healthy"]],
    ["secret", ["secret", "-f", DUMP]],
    ["bootstrap", ["bootstrap", "-f", DUMP]],
  ])("%s", async (name, args) => {
    const answer = await runCli(["proxy-config", ...args]);
    expect(answer).toMatchObject({ exitCode: 0, stderr: "" });
    expectGolden(join(FOLDER, `${name}.txt`), answer.stdout);
  });

  test("a certificate whose time is over is not valid", async () => {
    vi.setSystemTime(new Date("2026-11-23T00:00:00Z"));
    const { stdout } = await runCli(["pc", "secret", "-f", DUMP]);
    expect(stdout).toMatch(/^default .* false /m);
    expect(stdout).toMatch(/^ROOTCA .* true /m);
  });

  test("no view gives a private key away, not even Envoy's placeholder", async () => {
    const { stdout } = await runCli(["pc", "secret", "-f", DUMP, "-o", "json"]);
    expect(JSON.parse(stdout)).toHaveLength(2);
    expect(stdout).not.toMatch(/private|redacted|W3JlZGFjdGVkXQ/i);
  });
});
