// The whole server on loopback, driven over TLS as clients do.
import { connect } from "node:http2";
import { Agent, request } from "node:https";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { silentLogger } from "#base/logger";
import { until } from "#base/until";
import { type ClusterPki, clusterPki } from "../../../tests/kit/cluster-pki.ts";
import { runApiServer } from "./api-server.ts";
import type { JsonObject } from "./contract.ts";
import type { RunningApiServer } from "./start-api-server.ts";

let pki: ClusterPki;
let server: RunningApiServer;
let agent: Agent;
const stop = new AbortController();

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: JsonObject;
}

interface Call {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

function call(method: string, path: string, { body, headers }: Call = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const outgoing = request(server.url + path, { method, agent, headers: { ...headers } }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        const parsed = text.startsWith("{") ? (JSON.parse(text) as JsonObject) : { text };
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: parsed });
      });
    });
    outgoing.on("error", reject);
    outgoing.end(body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body));
  });
}

const patch = (path: string, type: string, body: unknown, headers = {}) =>
  call("PATCH", path, { body, headers: { "content-type": `application/${type}`, ...headers } });

interface Watch {
  readonly events: { type: string; object: JsonObject }[];
  close(): void;
}

function watch(path: string, accept = "application/json"): Watch {
  const events: Watch["events"] = [];
  let rest = "";
  const outgoing = request(
    server.url + path,
    { agent: new Agent({ ...agent.options }), headers: { accept } },
    (response) => {
      response.on("data", (chunk: Buffer) => {
        const lines = (rest + chunk.toString()).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) events.push(JSON.parse(line));
      });
    },
  );
  outgoing.on("error", () => undefined);
  outgoing.end();
  return { events, close: () => outgoing.destroy() };
}

const until2s = <T>(condition: () => T | undefined | false, reason: string) =>
  until(condition, { reason, timeoutMs: 60_000, intervalMs: 5 });

beforeAll(async () => {
  pki = await clusterPki();
  const config = { ...pki.config, listen: { address: "127.0.0.1", port: 0 } };
  server = await runApiServer(config, silentLogger(), stop.signal);
  const admin = await pki.client("admin", "system:masters");
  agent = new Agent({
    ca: pki.serverCa.certificatePem,
    cert: admin.certificatePem,
    key: admin.privateKeyPem,
    keepAlive: true,
  });
});

afterAll(async () => {
  agent.destroy();
  stop.abort();
  await server.close();
  pki.remove();
});

const CONFIG_MAPS = "/api/v1/namespaces/default/configmaps";
const configMap = (name: string, more: JsonObject = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
  ...more,
});

describe("discovery and paths", () => {
  it("lists groups, versions and resources", async () => {
    expect((await call("GET", "/api")).body["versions"]).toEqual(["v1"]);
    const groups = (await call("GET", "/apis")).body["groups"] as JsonObject[];
    expect(groups.find((group) => group["name"] === "autoscaling")?.["preferredVersion"]).toEqual({
      groupVersion: "autoscaling/v2",
      version: "v2",
    });
    const core = (await call("GET", "/api/v1")).body["resources"] as JsonObject[];
    expect(core.map((row) => row["name"])).toEqual(expect.arrayContaining(["pods", "pods/status", "pods/exec"]));
  });

  it("answers the aggregated form to who asks for it", async () => {
    const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
    const reply = await call("GET", "/apis", { headers: { accept } });
    expect(reply.headers["content-type"]).toBe("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
    expect(reply.body["kind"]).toBe("APIGroupDiscoveryList");
  });

  it("serves OpenAPI v3 from the schemas that validate", async () => {
    const { paths } = (await call("GET", "/openapi/v3")).body as {
      paths: Record<string, { serverRelativeURL: string }>;
    };
    const document = (await call("GET", paths["apis/apps/v1"]?.serverRelativeURL ?? "")).body;
    expect(JSON.stringify(document)).toContain('"name":"fieldValidation"');
    expect(Object.keys((document["components"] as { schemas: JsonObject }).schemas)).toContain(
      "io.k8s.api.core.v1.PodSpec",
    );
  });

  it("tells old clients which kinds take dry runs", async () => {
    const accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
    const { headers, body } = await call("GET", "/openapi/v2", { headers: { accept } });
    expect(headers["content-type"]).toBe("application/com.github.proto-openapi.spec.v2.v1.0+protobuf");
    expect(body["text"]).toContain("group: apps\nkind: Deployment\nversion: v1\n");
    expect(body["text"]).toContain("dryRun");
  });

  it("lets clients keep OpenAPI under the address of its content", async () => {
    const { paths } = (await call("GET", "/openapi/v3")).body as {
      paths: Record<string, { serverRelativeURL: string }>;
    };
    const url = paths["apis/apps/v1"]?.serverRelativeURL ?? "";
    const kept = await call("GET", url);
    expect(kept.headers["cache-control"]).toBe("public, immutable");
    const etag = String(kept.headers["etag"]);
    expect(url).toBe(`/openapi/v3/apis/apps/v1?hash=${etag.replaceAll('"', "")}`);
    expect((await call("GET", url, { headers: { "if-none-match": etag } })).status).toBe(304);
    const old = await call("GET", "/openapi/v3/apis/apps/v1?hash=ABC");
    expect([old.status, old.headers["location"]]).toEqual([301, url]);
    const v2 = await call("GET", "/openapi/v2");
    expect(v2.headers["content-type"]).toBe("application/json");
    const again = await call("GET", "/openapi/v2", { headers: { "if-none-match": String(v2.headers["etag"]) } });
    expect(again.status).toBe(304);
    expect((await call("GET", "/openapi/v2", { headers: { accept: "text/plain" } })).status).toBe(406);
    expect((await call("GET", "/openapi/v3/none")).status).toBe(404);
  });

  it("is healthy for everyone and lets nobody else in without a credential", async () => {
    const anonymous = new Agent({ ca: pki.serverCa.certificatePem });
    const get = (path: string) =>
      new Promise<number>((resolve, reject) => {
        const outgoing = request(server.url + path, { agent: anonymous }, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        });
        outgoing.on("error", reject);
        outgoing.end();
      });
    expect(await get("/readyz")).toBe(200);
    expect(await get("/api/v1/namespaces/default/secrets")).toBe(403);
    anonymous.destroy();
  });

  it("speaks HTTP/2 on the same port", async () => {
    const session = connect(server.url, {
      ca: agent.options.ca,
      cert: agent.options.cert,
      key: agent.options.key,
    } as object);
    const stream = session.request({ ":path": "/version" });
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    expect(JSON.parse(Buffer.concat(chunks).toString())).toMatchObject({ major: "1", minor: "35" });
    await new Promise<void>((resolve) => session.close(resolve));
  });

  it("has the kubernetes service from the start, without endpoints on loopback", async () => {
    const service = await call("GET", "/api/v1/namespaces/default/services/kubernetes");
    expect(service.body["spec"]).toMatchObject({ clusterIP: "10.96.0.1", type: "ClusterIP" });
    const slices = await call("GET", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes");
    expect(slices.status).toBe(404);
  });
});

describe("objects", () => {
  it("creates, refuses a double, updates with a resource version, and deletes", async () => {
    const made = await call("POST", CONFIG_MAPS, { body: configMap("one", { data: { a: "1" } }) });
    expect(made.status).toBe(201);
    expect((await call("POST", CONFIG_MAPS, { body: configMap("one") })).body).toMatchObject({
      code: 409,
      reason: "AlreadyExists",
      message: 'configmaps "one" already exists',
    });
    const second = await call("PUT", `${CONFIG_MAPS}/one`, { body: { ...made.body, data: { a: "2" } } });
    expect(second.status).toBe(200);
    expect((await call("PUT", `${CONFIG_MAPS}/one`, { body: { ...made.body, data: { a: "3" } } })).body).toMatchObject({
      code: 409,
      reason: "Conflict",
    });
    expect((await call("DELETE", `${CONFIG_MAPS}/one`)).body).toMatchObject({ status: "Success" });
    expect((await call("GET", `${CONFIG_MAPS}/one`)).body).toMatchObject({ code: 404, reason: "NotFound" });
  });

  it("makes no new version for a write that changes nothing", async () => {
    const made = (await call("POST", CONFIG_MAPS, { body: configMap("same", { data: { a: "1" } }) })).body;
    const again = (await patch(`${CONFIG_MAPS}/same`, "merge-patch+json", { data: { a: "1" } })).body;
    expect((again["metadata"] as JsonObject)["resourceVersion"]).toBe(
      (made["metadata"] as JsonObject)["resourceVersion"],
    );
  });

  it("validates fields as the client asks", async () => {
    const body = configMap("strict", { dat: { a: "1" } });
    const strict = await call("POST", `${CONFIG_MAPS}?fieldValidation=Strict`, { body });
    expect(strict.body).toMatchObject({ code: 400 });
    expect(String(strict.body["message"])).toContain('strict decoding error: unknown field "dat"');
    const warned = await call("POST", `${CONFIG_MAPS}?fieldValidation=Warn`, { body });
    expect(warned.headers["warning"]).toBe('299 - "unknown field \\"dat\\""');
    expect(warned.body["dat"]).toBeUndefined();
  });

  it("changes nothing in a dry run", async () => {
    expect((await call("POST", `${CONFIG_MAPS}?dryRun=All`, { body: configMap("dry") })).status).toBe(201);
    expect((await call("GET", `${CONFIG_MAPS}/dry`)).status).toBe(404);
  });

  it("names by generateName, and pages by limit and continue", async () => {
    await call("POST", "/api/v1/namespaces", {
      body: { apiVersion: "v1", kind: "Namespace", metadata: { name: "pages" } },
    });
    const path = "/api/v1/namespaces/pages/configmaps";
    for (let n = 0; n < 5; n++) {
      await call("POST", path, { body: { apiVersion: "v1", kind: "ConfigMap", metadata: { generateName: "g-" } } });
    }
    const first = (await call("GET", `${path}?limit=3`)).body;
    const metadata = first["metadata"] as JsonObject;
    expect(metadata["remainingItemCount"]).toBe(2);
    const second = (await call("GET", `${path}?limit=3&continue=${String(metadata["continue"])}`)).body;
    const names = [first, second].flatMap((page) =>
      (page["items"] as { metadata: { name: string } }[]).map((one) => one.metadata.name),
    );
    expect(new Set(names).size).toBe(5);
    expect(names.every((name) => /^g-[a-z0-9]{5}$/.test(name))).toBe(true);
  });

  it("completes services with addresses and ports, and gives them back", async () => {
    const path = "/api/v1/namespaces/default/services";
    const body = (name: string, spec: JsonObject) => ({ apiVersion: "v1", kind: "Service", metadata: { name }, spec });
    const dns = await call("POST", path, { body: body("dns", { clusterIP: "10.96.0.11", ports: [{ port: 53 }] }) });
    expect(dns.body["spec"]).toMatchObject({
      clusterIPs: ["10.96.0.11"],
      ports: [{ protocol: "TCP", targetPort: 53 }],
    });
    const taken = await call("POST", path, { body: body("other", { clusterIP: "10.96.0.11", ports: [{ port: 53 }] }) });
    expect(String(taken.body["message"])).toContain("provided IP is already allocated");
    const balanced = await call("POST", path, { body: body("lb", { type: "LoadBalancer", ports: [{ port: 80 }] }) });
    const [port] = (balanced.body["spec"] as { ports: { nodePort: number }[] }).ports;
    expect(port?.nodePort).toBeGreaterThanOrEqual(30000);
    await call("DELETE", `${path}/dns`);
    const again = await call("POST", path, { body: body("other", { clusterIP: "10.96.0.11", ports: [{ port: 53 }] }) });
    expect(again.status).toBe(201);
  });

  it("waits for the node before a running pod goes", async () => {
    const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } };
    await call("POST", "/api/v1/namespaces/default/serviceaccounts", { body: account });
    const pods = "/api/v1/namespaces/default/pods";
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "p" },
      spec: { nodeName: "n", terminationGracePeriodSeconds: 7, containers: [{ name: "c", image: "i" }] },
    };
    expect((await call("POST", pods, { body: pod })).status).toBe(201);
    const going = (await call("DELETE", `${pods}/p`)).body;
    expect(going["metadata"]).toMatchObject({ deletionGracePeriodSeconds: 7 });
    expect((await call("GET", `${pods}/p`)).status).toBe(200);
    await call("DELETE", `${pods}/p?gracePeriodSeconds=0`);
    expect((await call("GET", `${pods}/p`)).status).toBe(404);
  });

  it("keeps an object until its finalizers are gone, and a namespace until it is finalized", async () => {
    await call("POST", CONFIG_MAPS, {
      body: { ...configMap("held"), metadata: { name: "held", finalizers: ["a/b"] } },
    });
    await call("DELETE", `${CONFIG_MAPS}/held`);
    expect((await call("GET", `${CONFIG_MAPS}/held`)).status).toBe(200);
    await patch(`${CONFIG_MAPS}/held`, "merge-patch+json", { metadata: { finalizers: null } });
    expect((await call("GET", `${CONFIG_MAPS}/held`)).status).toBe(404);
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "going" } };
    await call("POST", "/api/v1/namespaces", { body: namespace });
    expect((await call("DELETE", "/api/v1/namespaces/going")).body["status"]).toEqual({ phase: "Terminating" });
    expect((await call("POST", "/api/v1/namespaces/going/configmaps", { body: configMap("x") })).status).toBe(403);
    await call("PUT", "/api/v1/namespaces/going/finalize", { body: { ...namespace, spec: { finalizers: [] } } });
    expect((await call("GET", "/api/v1/namespaces/going")).status).toBe(404);
  });

  it("keeps status and spec apart", async () => {
    const path = "/apis/apps/v1/namespaces/default/deployments";
    const template = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } };
    const spec = { selector: { matchLabels: { a: "b" } }, template };
    const body = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "d" }, spec, status: { replicas: 9 } };
    const made = (await call("POST", path, { body })).body;
    expect(made["status"]).toEqual({});
    const status = await patch(`${path}/d/status`, "merge-patch+json", {
      status: { replicas: 3 },
      spec: { replicas: 8 },
    });
    expect(status.body).toMatchObject({ status: { replicas: 3 }, spec: { replicas: 1 }, metadata: { generation: 1 } });
    const scaled = await patch(`${path}/d/scale`, "merge-patch+json", { spec: { replicas: 4 } });
    expect(scaled.body).toMatchObject({
      kind: "Scale",
      spec: { replicas: 4 },
      status: { replicas: 3, selector: "a=b" },
    });
    const front = (await call("GET", `${path}/d`)).body;
    expect(front).toMatchObject({ spec: { replicas: 4 }, metadata: { generation: 2 } });
    const table = await call("GET", path, { headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" } });
    const [row] = table.body["rows"] as { cells: unknown[] }[];
    expect(row?.cells.slice(0, 4)).toEqual(["d", "0/4", 0, 0]);
    const immutable = await patch(`${path}/d`, "merge-patch+json", { spec: { selector: { matchLabels: { a: "c" } } } });
    expect(immutable.body).toMatchObject({ code: 422, reason: "Invalid" });
  });

  it("applies server-side in YAML, with 201 at first and 409 on a conflict", async () => {
    const yaml = (value: string) =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: applied\ndata:\n  a: "${value}"\n`;
    const path = (manager: string) => `${CONFIG_MAPS}/applied?fieldManager=${manager}`;
    expect((await patch(path("one"), "apply-patch+yaml", yaml("1"))).status).toBe(201);
    expect((await patch(path("one"), "apply-patch+yaml", yaml("2"))).body["data"]).toEqual({ a: "2" });
    expect((await patch(path("two"), "apply-patch+yaml", yaml("3"))).body).toMatchObject({
      code: 409,
      reason: "Conflict",
    });
    expect((await patch(`${path("two")}&force=true`, "apply-patch+yaml", yaml("3"))).status).toBe(200);
  });

  it("shows one event through both doors", async () => {
    const event = {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: "e1" },
      involvedObject: { kind: "Pod", name: "p" },
      message: "hello",
    };
    await call("POST", "/api/v1/namespaces/default/events", { body: event });
    const other = await call("GET", "/apis/events.k8s.io/v1/namespaces/default/events/e1");
    expect(other.body).toMatchObject({ apiVersion: "events.k8s.io/v1", note: "hello", regarding: { name: "p" } });
    const found = await call("GET", "/api/v1/events?fieldSelector=involvedObject.name=p");
    expect(found.body["items"]).toHaveLength(1);
  });
});

describe("watches", () => {
  it("tells what enters and leaves a selection", async () => {
    const { metadata } = (await call("GET", CONFIG_MAPS)).body as { metadata: { resourceVersion: string } };
    const seen = watch(`${CONFIG_MAPS}?watch=true&labelSelector=x%3Dy&resourceVersion=${metadata.resourceVersion}`);
    await call("POST", CONFIG_MAPS, { body: configMap("watched") });
    await patch(`${CONFIG_MAPS}/watched`, "merge-patch+json", { metadata: { labels: { x: "y" } } });
    await patch(`${CONFIG_MAPS}/watched`, "merge-patch+json", { data: { a: "1" } });
    await patch(`${CONFIG_MAPS}/watched`, "merge-patch+json", { metadata: { labels: { x: null } } });
    await until2s(() => seen.events.length === 3, "three events came");
    expect(seen.events.map((event) => event.type)).toEqual(["ADDED", "MODIFIED", "DELETED"]);
    seen.close();
  });

  it("starts with all objects and a bookmark for who asks", async () => {
    const seen = watch(
      "/api/v1/namespaces?watch=true&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan",
    );
    const bookmark = await until2s(() => seen.events.find((event) => event.type === "BOOKMARK"), "the bookmark came");
    expect(bookmark.object["metadata"]).toMatchObject({ annotations: { "k8s.io/initial-events-end": "true" } });
    expect(seen.events.filter((event) => event.type === "ADDED").length).toBeGreaterThanOrEqual(4);
    seen.close();
  });

  it("sends rows of a table, with the columns once, and metadata alone to who asks", async () => {
    const accept = (form: string) => `application/json;as=${form};v=v1;g=meta.k8s.io,application/json`;
    const rows = watch("/api/v1/namespaces?watch=true", accept("Table"));
    await until2s(() => rows.events.length >= 4, "the namespaces came as rows");
    expect(rows.events[0]?.object["columnDefinitions"]).toHaveLength(3);
    expect(rows.events[1]?.object["columnDefinitions"]).toBeNull();
    rows.close();
    const list = await call("GET", "/api/v1/namespaces", { headers: { accept: accept("PartialObjectMetadataList") } });
    expect(list.body["kind"]).toBe("PartialObjectMetadataList");
    expect(Object.keys((list.body["items"] as JsonObject[])[0] ?? {}).sort()).toEqual([
      "apiVersion",
      "kind",
      "metadata",
    ]);
  });

  it("says that the past is forgotten", async () => {
    const seen = watch(`${CONFIG_MAPS}?watch=true&resourceVersion=5`);
    const [event] = await until2s(() => (seen.events.length > 0 ? seen.events : undefined), "an event came");
    expect(event).toMatchObject({ type: "ERROR", object: { code: 410, reason: "Expired" } });
  });

  it("ends after timeoutSeconds", async () => {
    const reply = await call(
      "GET",
      `${CONFIG_MAPS}?watch=true&timeoutSeconds=1&resourceVersion=0&labelSelector=no%3Done`,
    );
    expect(reply.body).toEqual({ text: "" });
  });
});

describe("autoscalers", () => {
  it("are one object in both versions", async () => {
    const path = (version: string) => `/apis/autoscaling/${version}/namespaces/default/horizontalpodautoscalers`;
    const spec = {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "d" },
      maxReplicas: 3,
      targetCPUUtilizationPercentage: 50,
    };
    const body = { apiVersion: "autoscaling/v1", kind: "HorizontalPodAutoscaler", metadata: { name: "h" }, spec };
    expect((await call("POST", path("v1"), { body })).body).toMatchObject({ apiVersion: "autoscaling/v1", spec });
    const [metric] = ((await call("GET", `${path("v2")}/h`)).body["spec"] as { metrics: JsonObject[] }).metrics;
    expect(metric).toMatchObject({ resource: { name: "cpu", target: { averageUtilization: 50 } } });
  });
});

describe("custom resources", () => {
  const version = (name: string, storage: boolean): JsonObject => ({
    name,
    served: true,
    storage,
    subresources: { status: {} },
    additionalPrinterColumns: [{ name: "Color", type: "string", jsonPath: ".spec.color" }],
    schema: {
      openAPIV3Schema: {
        type: "object",
        properties: {
          spec: {
            type: "object",
            required: ["size"],
            properties: {
              size: { type: "integer", minimum: 1 },
              color: { type: "string", enum: ["red", "blue"], default: "red" },
              any: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
            },
          },
          status: { type: "object", properties: { ready: { type: "boolean" } } },
        },
      },
    },
  });
  const definition: JsonObject = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "widgets.example.com" },
    spec: {
      group: "example.com",
      scope: "Namespaced",
      names: { plural: "widgets", kind: "Widget", shortNames: ["wd"] },
      versions: [version("v1", true), version("v1beta1", false)],
    },
  };
  const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  const WIDGETS = "/apis/example.com/v1/namespaces/default/widgets";
  const widget = (name: string, spec: JsonObject) => ({
    apiVersion: "example.com/v1",
    kind: "Widget",
    metadata: { name },
    spec,
  });

  beforeAll(async () => {
    expect((await call("POST", DEFINITIONS, { body: definition })).status).toBe(201);
  });

  it("serves them at once and says so", async () => {
    const { body } = await call("GET", `${DEFINITIONS}/widgets.example.com`);
    expect(body["status"]).toMatchObject({
      acceptedNames: { singular: "widget", listKind: "WidgetList" },
      conditions: [{ type: "NamesAccepted" }, { type: "Established", status: "True" }],
      storedVersions: ["v1"],
    });
    expect((await call("GET", WIDGETS)).body).toMatchObject({ kind: "WidgetList", items: [] });
  });

  it("fills in, prunes, validates, and shows every version", async () => {
    const made = await call("POST", WIDGETS, { body: widget("w", { size: 2, odd: 1, any: { kept: [1] } }) });
    expect(made.body["spec"]).toEqual({ size: 2, color: "red", any: { kept: [1] } });
    const bad = await call("POST", WIDGETS, { body: widget("bad", { size: 0, color: "green" }) });
    expect(bad.body).toMatchObject({
      code: 422,
      details: { causes: [{ field: "spec.size" }, { field: "spec.color", reason: "FieldValueNotSupported" }] },
    });
    expect((await call("POST", WIDGETS, { body: widget("bad", {}) })).body["message"]).toBe(
      'Widget.example.com "bad" is invalid: spec.size: Required value',
    );
    const other = await call("GET", WIDGETS.replace("v1", "v1beta1").concat("/w"));
    expect(other.body["apiVersion"]).toBe("example.com/v1beta1");
    const table = await call("GET", WIDGETS, { headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" } });
    expect((table.body["rows"] as { cells: unknown[] }[])[0]?.cells).toEqual(["w", "red"]);
  });

  it("changes the status through its own door only", async () => {
    await call("POST", WIDGETS, { body: widget("s", { size: 1 }) });
    await patch(`${WIDGETS}/s`, "merge-patch+json", { status: { ready: true } });
    expect((await call("GET", `${WIDGETS}/s`)).body["status"]).toBeUndefined();
    await patch(`${WIDGETS}/s/status`, "merge-patch+json", { status: { ready: true } });
    expect((await call("GET", `${WIDGETS}/s`)).body["status"]).toEqual({ ready: true });
  });

  it("goes with its objects", async () => {
    const seen = watch(`${WIDGETS}?watch=true`);
    await until2s(() => seen.events.length > 0, "the watch began");
    await call("DELETE", `${DEFINITIONS}/widgets.example.com`);
    await until2s(() => seen.events.some((event) => event.type === "DELETED"), "the objects went");
    expect((await call("GET", WIDGETS)).status).toBe(404);
    seen.close();
  });
});

describe("Changes that a real API server tells apart", () => {
  const CORE = "/api/v1/namespaces/default";
  const EVENTS = "/apis/events.k8s.io/v1/namespaces/default/events";
  const managersOf = ({ body }: Reply) =>
    ((body["metadata"] as JsonObject)["managedFields"] as JsonObject[]).map(({ manager }) => manager);

  it("refuses empty binary data of a fixed ConfigMap that had none, and takes empty data", async () => {
    await call("POST", CONFIG_MAPS, { body: configMap("fixed", { immutable: true }) });
    const same = await call("PUT", `${CONFIG_MAPS}/fixed`, { body: configMap("fixed", { immutable: true, data: {} }) });
    expect(same.status).toBe(200);
    const binary = await patch(`${CONFIG_MAPS}/fixed`, "merge-patch+json", { binaryData: {} });
    expect(binary.body["message"]).toBe(
      'ConfigMap "fixed" is invalid: binaryData: Forbidden: field is immutable when `immutable` is set',
    );
  });

  it("shows lists and maps that were sent empty where it tells what may not change", async () => {
    const spec = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, volumeName: "v" };
    const claim = { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name: "claim" }, spec };
    await call("POST", `${CORE}/persistentvolumeclaims`, { body: claim });
    const change = (changed: JsonObject) =>
      patch(`${CORE}/persistentvolumeclaims/claim`, "merge-patch+json", { spec: changed });
    const refused = await change({ resources: { limits: {} }, volumeName: "w" });
    expect(String(refused.body["message"])).toContain('-  "Limits": null,\n+  "Limits": {},\n');
    expect((await change({ resources: { limits: {} } })).status).toBe(200);
    const other = { metadata: { labels: { "a b": "" } }, spec: { resources: { limits: {} } } };
    const elsewhere = await patch(`${CORE}/persistentvolumeclaims/claim`, "merge-patch+json", other);
    expect(elsewhere.status).toBe(422);
    expect(String(elsewhere.body["message"])).not.toContain("immutable");
  });

  it("forgets who owns an Event by the names of the other group", async () => {
    const involvedObject = { kind: "Pod", name: "p", namespace: "default" };
    const event = { apiVersion: "v1", kind: "Event", metadata: { name: "owned" }, involvedObject, message: "hello" };
    await call("POST", `${CORE}/events?fieldManager=core`, { body: event });
    const other = await patch(`${EVENTS}/owned?fieldManager=other`, "merge-patch+json", {
      metadata: { labels: { a: "b" } },
    });
    expect(managersOf(other)).toEqual(["other"]);
    expect(other.body).not.toHaveProperty("reportingController");
    const core = await patch(`${CORE}/events/owned?fieldManager=core`, "merge-patch+json", { count: 3 });
    expect(managersOf(core)).toEqual(["core"]);
    expect(core.body["reportingComponent"]).toBe("");
  });

  it("gives families to a Service made through its status when it is next written", async () => {
    const service = { apiVersion: "v1", kind: "Service", metadata: { name: "late" }, spec: { ports: [{ port: 80 }] } };
    const made = await patch(`${CORE}/services/late/status?fieldManager=m`, "apply-patch+yaml", service);
    expect(made.body["spec"]).not.toHaveProperty("ipFamilies");
    const written = await patch(`${CORE}/services/late`, "merge-patch+json", { metadata: { labels: { a: "b" } } });
    expect(written.body["spec"]).toMatchObject({ ipFamilies: ["IPv4"], ipFamilyPolicy: "SingleStack" });
    expect(written.body["spec"]).not.toHaveProperty("clusterIP");
  });

  it("pulls images always that have the newest tag or none, and no others", async () => {
    const digest = `sha256:${"0".repeat(64)}`;
    const images = ["a", "a/b_c", "host:5000/a", "Host.x/a:latest", `a:latest@${digest}`];
    const others = ["a:1", "A", "a:", "a//b", "_a", `a@${digest}`, "a:latest@sha256:12"];
    const containers = [...images, ...others].map((image, index) => ({ name: `c${index}`, image }));
    const template = { metadata: { labels: { a: "b" } }, spec: { containers } };
    const spec = { selector: { matchLabels: { a: "b" } }, template };
    const body = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "images" }, spec };
    const made = await call("POST", "/apis/apps/v1/namespaces/default/deployments", { body });
    const shown = (made.body["spec"] as { template: { spec: { containers: JsonObject[] } } }).template.spec.containers;
    const always = shown.filter(({ imagePullPolicy }) => imagePullPolicy === "Always").map(({ image }) => image);
    expect(always).toEqual(images);
  });

  it("tells of every version of reviews that is no label", async () => {
    const webhook = {
      name: "w.example.com",
      clientConfig: { url: "https://127.0.0.1:1/" },
      sideEffects: "None",
      admissionReviewVersions: ["V1", "v1", "v1"],
    };
    const kind = "ValidatingWebhookConfiguration";
    const body = { apiVersion: "admissionregistration.k8s.io/v1", kind, metadata: { name: "w" }, webhooks: [webhook] };
    const path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
    const { causes } = (await call("POST", path, { body })).body["details"] as { causes: JsonObject[] };
    expect(causes.map(({ field }) => field)).toEqual([
      "webhooks[0].admissionReviewVersions[0]",
      "webhooks[0].admissionReviewVersions[2]",
    ]);
    expect(causes[0]?.["message"]).toContain("a DNS-1035 label must consist of");
  });
});
