// A thousand writes, and kill -9 in the middle of them again and again: what was acknowledged is there, nothing is torn.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Kinds } from "#api/kinds";
import type { ConfigMap, CustomResourceDefinition, Service, TokenRequest } from "#api/kubernetes/gen/types";
import { until } from "#base/until";
import { createKubeClient } from "#kube/create-kube-client";
import type { KubeClient } from "#kube/kube-client";
import { parseKubeConfig } from "#kube/kubeconfig";
import { type ApiServerProcess, startApiServerProcess } from "../../kit/api-server-process.ts";

const WRITES = 1000;
const WRITERS = 4;
const KILLS = 20;
/** Long enough that a record is more than one page of the disk. */
const data = (value: string) => ({ value, filler: value.repeat(600) });

/** What a client knows of one object: the last answer, and the write that has none yet. `null`: it is not there. */
interface Knowledge {
  acknowledged: string | null;
  asked?: string | null;
}

interface Step {
  readonly from: string | null;
  readonly to: string | null;
}

async function write(client: KubeClient, name: string, { from, to }: Step): Promise<void> {
  const metadata = { namespace: "default", name };
  if (to === null) await client.delete(Kinds.ConfigMap, metadata);
  else if (from === null) await client.create(Kinds.ConfigMap, { metadata, data: data(to) });
  else await client.replace(Kinds.ConfigMap, { metadata, data: data(to) });
}

const isAcknowledged = (written: Promise<void>) =>
  written.then(
    () => true,
    () => false,
  );

describe("objects of the embedded API server", () => {
  let server: ApiServerProcess;
  beforeAll(async () => {
    server = await startApiServerProcess("durable");
  });
  afterAll(() => server?.stop());

  /** Runs with a client of its own: the connections of a killed server are no use. */
  const withClient = async <T>(use: (client: KubeClient) => Promise<T>): Promise<T> => {
    const client = createKubeClient(parseKubeConfig(server.kubeconfig));
    try {
      return await use(client);
    } finally {
      await client.close();
    }
  };

  it(`survive kill -9 at any moment of ${WRITES} writes`, { timeout: 240_000 }, async () => {
    const known = new Map<string, Knowledge>();
    let acknowledged = 0;
    let serial = 0;
    /** Creates, changes and deletes its own objects until the server is gone. */
    const writer = async (client: KubeClient, own: number) => {
      for (;;) {
        const name = `w${own}-${serial++ % 40}`;
        const fact = known.get(name) ?? { acknowledged: null };
        known.set(name, fact);
        const wanted = fact.acknowledged !== null && serial % 5 === 0 ? null : `v${serial}`;
        fact.asked = wanted;
        if (!(await isAcknowledged(write(client, name, { from: fact.acknowledged, to: wanted })))) return;
        fact.acknowledged = wanted;
        delete fact.asked;
        acknowledged++;
      }
    };
    const check = async () => {
      const items = await withClient((client) => client.list<ConfigMap>(Kinds.ConfigMap, { namespace: "default" }));
      const there = new Map(items.items.map((object) => [object.metadata?.name ?? "", object]));
      for (const [name, fact] of known) {
        const found = there.get(name);
        const value = found?.data?.["value"] ?? null;
        if (value !== null) expect(found?.data).toEqual(data(value));
        expect(fact.asked === undefined ? [fact.acknowledged] : [fact.acknowledged, fact.asked]).toContain(value);
        fact.acknowledged = value;
        delete fact.asked;
      }
    };
    for (let kill = 1; kill <= KILLS; kill++) {
      const goal = Math.round((WRITES * kill) / KILLS);
      await withClient(async (client) => {
        const writers = Array.from({ length: WRITERS }, (_, own) => writer(client, own));
        await until(() => acknowledged >= goal, { reason: `${goal} writes`, timeoutMs: 60_000, intervalMs: 1 });
        await server.kill();
        await Promise.all(writers);
      });
      await server.start();
      await check();
    }
    expect(acknowledged).toBeGreaterThanOrEqual(WRITES);
    expect([...known.values()].filter((fact) => fact.acknowledged !== null).length).toBeGreaterThan(20);
  });

  it("are the same to a watch that was cut off: it goes on where it was", async () => {
    const metadata = { namespace: "default", name: "seen" };
    const made: ConfigMap = { metadata, data: { step: "1" } };
    const before = await withClient((client) => client.create(Kinds.ConfigMap, made));
    await withClient((client) => client.replace(Kinds.ConfigMap, { metadata, data: { step: "2" } }));
    await withClient((client) => client.delete(Kinds.ConfigMap, metadata));
    await server.kill();
    await server.start();
    const resourceVersion = before.metadata?.resourceVersion ?? "";
    const events = await withClient(async (client) => {
      const seen: { type: string; object: ConfigMap }[] = [];
      const options = { namespace: "default", fieldSelector: "metadata.name=seen", resourceVersion };
      for await (const event of client.watch<ConfigMap>(Kinds.ConfigMap, options)) {
        if (event.type !== "BOOKMARK") seen.push(event);
        if (event.type === "DELETED") break;
      }
      return seen;
    });
    expect(events.map(({ type, object }) => [type, object.data?.["step"]])).toEqual([
      ["MODIFIED", "2"],
      ["DELETED", "2"],
    ]);
  });

  it("keep what was handed out: addresses of services, kinds of definitions, tokens", async () => {
    const service = (name: string, clusterIP?: string): Service => ({
      metadata: { namespace: "default", name },
      spec: { ports: [{ port: 80 }], ...(clusterIP === undefined ? {} : { clusterIP }) },
    });
    const first = await withClient((client) => client.create(Kinds.Service, service("one")));
    await withClient((client) => client.create(Kinds.CustomResourceDefinition, WIDGETS));
    const widget = { apiVersion: "example.com/v1", kind: "Widget", metadata: { namespace: "default", name: "w" } };
    const path = "/apis/example.com/v1/namespaces/default/widgets";
    await withClient((client) => client.request("POST", path, { body: { ...widget, spec: { size: 3 } } }));
    const token = await withClient(async (client) => {
      const at = { namespace: "default", name: "default", subresource: "token" };
      const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: 3600 } };
      return (await client.createSubresource<TokenRequest>(Kinds.ServiceAccount, at, body)).status?.token ?? "";
    });
    await server.kill();
    await server.start();
    await withClient(async (client) => {
      const clusterIP = first.spec?.clusterIP ?? "";
      await expect(client.create(Kinds.Service, service("two", clusterIP))).rejects.toThrow(/already allocated/);
      const third = await client.create(Kinds.Service, service("three"));
      expect(third.spec?.clusterIP).not.toBe(clusterIP);
      expect(await client.request("GET", `${path}/w`)).toMatchObject({ spec: { size: 3 } });
      const review = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec: { token } };
      const reviewed = await client.request("POST", "/apis/authentication.k8s.io/v1/tokenreviews", { body: review });
      expect(reviewed).toMatchObject({ status: { user: { username: "system:serviceaccount:default:default" } } });
    });
  });
});

const WIDGETS: CustomResourceDefinition = {
  metadata: { name: "widgets.example.com" },
  spec: {
    group: "example.com",
    scope: "Namespaced",
    names: { kind: "Widget", listKind: "WidgetList", plural: "widgets", singular: "widget" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: { spec: { type: "object", properties: { size: { type: "integer" } } } },
          },
        },
      },
    ],
  },
};
