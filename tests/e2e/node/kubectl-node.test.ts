// What kubectl shows of a node's pods: earlier logs, events, and a port that lets nobody in unnamed.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "#base/until";
import { bootPlayground, type TestPlayground, whyNoPlayground } from "../../kit/playground.ts";

/** Every kind of nodes has it. */
const IMAGE = "curlimages/curl:latest";

const POD = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "twice" },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [
      {
        name: "c",
        image: IMAGE,
        // Whoever asks always is told of a pull instead.
        imagePullPolicy: "IfNotPresent",
        command: [
          "sh",
          "-c",
          "test -e /v/second && { echo again; exec sleep 1000; }; : >/v/second; echo first; exit 3",
        ],
        volumeMounts: [{ name: "v", mountPath: "/v" }],
      },
    ],
    volumes: [{ name: "v", emptyDir: {} }],
  },
};
const WAIT_MS = 60_000;

describe.skipIf(whyNoPlayground())("kubectl and the node", () => {
  let playground: TestPlayground;
  const kubectl = (words: readonly string[], input = "") =>
    playground.run("kubectl", ["--context", "cluster1", ...words], { input, timeoutMs: WAIT_MS });
  beforeAll(async () => {
    playground = await bootPlayground({ flags: ["--no-common-root"] });
    await kubectl(["apply", "-f", "-"], JSON.stringify(POD));
    // The first container is ready too, for a moment.
    const runsAgain = async () => (await kubectl(["logs", "twice"])).stdout === "again\n";
    await until(runsAgain, { reason: "the second container says its word", timeoutMs: WAIT_MS });
  });
  afterAll(() => playground?.down());

  test("logs of the container that runs, and of the one before", async () => {
    expect((await kubectl(["logs", "twice"])).stdout).toBe("again\n");
    expect((await kubectl(["logs", "twice", "--previous"])).stdout).toBe("first\n");
  });

  test("events tell the pod's story in the kubelet's words", async () => {
    const format = '-o=jsonpath={range .items[*]}{.reason}: {.message}{"\\n"}{end}';
    const story = async () => (await kubectl(["get", "events", format])).stdout.split("\n");
    const pulled = `Pulled: Container image "${IMAGE}" already present on machine and can be accessed by the pod`;
    const words = expect.arrayContaining([pulled, "Created: Container created", "Started: Container started"]);
    await expect.poll(story, { timeout: WAIT_MS }).toEqual(words);
  });

  test("the node's port refuses whoever shows nothing", async () => {
    const address = (await kubectl(["get", "nodes", "-o=jsonpath={.items[0].status.addresses[0].address}"])).stdout;
    const words = ["-sk", "--max-time", "30", "-w", "%{http_code}", `https://${address}:10250/pods`];
    const { stdout } = await kubectl(["exec", "twice", "--", "curl", ...words]);
    expect(stdout).toBe("Unauthorized401");
  });
});
