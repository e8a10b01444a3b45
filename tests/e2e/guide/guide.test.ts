// The main job, as a person does it: the page's commands, then calls, from both clusters.
import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parsePage } from "#playground/guide/parse-page";
import { expectPromise, expectProxiesAccept, untilSpread } from "../../kit/guide-promise.ts";
import { bootPlayground, GUIDE, ISTIO_PAGE, type TestPlayground, whyNoPlayground } from "../../kit/playground.ts";

const CALLS = 200;

const PAGES = [
  { title: "docs/guide.md", file: GUIDE, commands: 25 },
  { title: "Istio's page, verbatim", file: ISTIO_PAGE, commands: 26 },
];

describe.skipIf(whyNoPlayground())("the guide", () => {
  for (const page of PAGES) {
    describe.skipIf(!existsSync(page.file))(page.title, () => {
      let playground: TestPlayground;
      beforeAll(async () => {
        playground = await bootPlayground();
      });
      afterAll(() => playground?.down());

      test("every command succeeds", async () => {
        expect(await playground.page(page.file)).toBe(page.commands);
      });

      test(`${CALLS} calls from each cluster reach both versions evenly, without an error`, async () => {
        await expectPromise(playground, CALLS);
      });

      test("every proxy has accepted what it was sent", async () => {
        await expectProxiesAccept(playground);
      });
    });
  }
});

/** The page's commands by what they do, so that their order can be changed. */
function steps() {
  const texts = parsePage(readFileSync(GUIDE, "utf8")).map((command) => command.text);
  const pick = (pattern: RegExp) => texts.filter((text) => pattern.test(text));
  return {
    install: texts.filter((text) => /^cat <<EOF|^istioctl install/.test(text)),
    gateways: pick(/gen-eastwest-gateway/),
    expose: pick(/expose-services/),
    remoteSecrets: pick(/create-remote-secret/),
    namespace: pick(/create .*namespace sample|label .*namespace sample/),
    sample: pick(/helloworld\.yaml|sleep\.yaml/),
  };
}

const restart = (context: string) =>
  `kubectl --context=${context} -n sample rollout restart deployment && kubectl --context=${context} -n sample rollout status deployment/sleep --timeout=110s`;

const ORDERS: { title: string; order: (all: ReturnType<typeof steps>) => string[] }[] = [
  {
    title: "remote secrets first",
    order: (all) => [
      ...["cluster1", "cluster2"].map((context) => `kubectl --context=${context} get namespace istio-system`),
      ...all.remoteSecrets,
      ...all.install,
      ...all.gateways,
      ...all.expose,
      ...all.namespace,
      ...all.sample,
    ],
  },
  {
    title: "gateways last",
    order: (all) => [
      ...all.install,
      ...all.remoteSecrets,
      ...all.namespace,
      ...all.sample,
      ...all.gateways,
      ...all.expose,
    ],
  },
  {
    title: "sample first, its pods restarted once after",
    order: (all) => [
      ...all.namespace,
      ...all.sample,
      ...all.install,
      ...all.gateways,
      ...all.expose,
      ...all.remoteSecrets,
      restart("cluster1"),
      restart("cluster2"),
    ],
  },
];

describe.skipIf(whyNoPlayground())("the guide's steps in another order end in the same state", () => {
  for (const { title, order } of ORDERS) {
    test(title, async () => {
      const playground = await bootPlayground();
      try {
        await playground.commands(order(steps()));
        await playground.ready("sample");
        await untilSpread(playground);
        await expectPromise(playground, CALLS);
      } finally {
        await playground.down();
      }
    });
  }
});
