// HTTP around the API: wrong paths, methods, content types and Accept headers; documents of discovery and OpenAPI.
import { builtin, FREE_KINDS, KINDS, type SequenceBuilder } from "../generate/builder.ts";
import type { Area } from "./area.ts";

const configMap = builtin("", "ConfigMap");

export const protocol: Area = {
  name: "protocol",
  weight: 4,
  held: true,
  make(builder) {
    const { random } = builder;
    builder.namespace();
    builder.create(configMap, "a");
    const turns = 5 + random.int(8);
    for (let i = 0; i < turns; i++) random.pick(TURNS)(builder);
  },
};

/** Without the lists of all groups, in which the definitions of other sequences stand. */
const PATHS = [
  "/api",
  "/api/v1",
  "/api/v2",
  "/apis/apps",
  "/apis/apps/v1",
  "/apis/apps/v9",
  "/apis/none",
  "/nothing",
  "/api/v1/pods/x",
  "/api/v1/namespaces/{{ns}}/none",
  "/api/v1/namespaces/{{ns}}/configmaps/a/none",
  "/api/v1/namespaces/{{ns}}/configmaps/a/status",
  "/apis/apps/v1/namespaces/{{ns}}/deployments/a/none",
  "/api/v1/namespaces/{{ns}}/configmaps/a/",
  "//api/v1",
  "/api/v1/namespaces/{{ns}}/configmaps/",
  "/api/v1/namespaces/{{ns}}/pods/none/log",
  "/api/v1/namespaces/none/configmaps",
  "/api/v1/namespaces/none",
  "/healthz",
  "/livez",
  "/readyz",
  "/healthz/ping",
  "/livez/none",
  "/api/v1/watch/namespaces/{{ns}}/configmaps/zz?timeoutSeconds=1",
  "/api/v1/nodes/none/proxy/x",
  "/api/v1/namespaces/{{ns}}/services/none/proxy/",
  "/api/v1/componentstatuses/none",
  "/apis/metrics.k8s.io/v1beta1",
  "/openapi/none",
  "/openapi/v3/none",
  "/api/v1/namespaces//configmaps?fieldSelector=metadata.namespace%3D{{ns}}",
  "/healthz?verbose",
  "/livez?verbose&exclude=etcd",
  "/readyz?verbose&exclude=none&exclude=ping&exclude=a",
  "/readyz?exclude=none",
  "/livez/etcd?verbose",
  "/readyz/shutdown",
  "/livez/shutdown",
  "/healthz/poststarthook/rbac/bootstrap-roles",
  "/healthz/",
  "/livez/ping/",
  "/statusz",
  "/flagz",
  "/logs",
  "/metrics/none",
  "/version/none",
  "/openapi/v2/",
  "/openapi/v3/",
  "/api/v1/watch",
  "/api/v1/proxy?x=1",
  "/apis/apps/v1/watch/",
  "/api/v1/proxy/namespaces/{{ns}}/pods/x",
];

const TURNS: readonly ((builder: SequenceBuilder) => void)[] = [
  (builder) => void builder.send("GET", builder.random.pick(PATHS), { verb: "get" }),
  (builder) =>
    void builder.send(
      builder.random.pick(["POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"]),
      builder.random.pick(PATHS.slice(0, 22)),
    ),
  function methods(builder) {
    const { random } = builder;
    const kind = random.pick(KINDS);
    const method = random.pick(["PUT", "PATCH", "POST", "HEAD", "OPTIONS"]);
    const path =
      method === "POST"
        ? builder.at(kind, builder.name(kind))
        : random.chance(0.7)
          ? builder.collection(kind)
          : builder.at(kind, "none");
    builder.send(method, path, { kindName: kind.kind, body: { json: {} } });
  },
  function contentTypes(builder) {
    const { random } = builder;
    const contentType = random.pick([
      "text/plain",
      "application/json; charset=utf-8",
      "application/yaml",
      "application/xml",
      "application/vnd.kubernetes.protobuf",
      "application/cbor",
      "",
      "application/json, text/plain",
    ]);
    const yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: b\ndata:\n  key: one\n";
    const raw = contentType.includes("yaml")
      ? yaml
      : '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"b"},"data":{"key":"one"}}';
    builder.create(configMap, "b", { body: { raw }, headers: { "content-type": contentType } });
  },
  function patchTypes(builder) {
    const { random } = builder;
    const kind = random.pick([configMap, builtin("", "Node")]);
    builder.send("PATCH", builder.at(kind, "a"), {
      verb: "patch",
      kindName: kind.kind,
      headers: {
        "content-type": random.pick([
          "application/json",
          "text/plain",
          "application/merge-patch+json; charset=utf-8",
          "application/apply-patch+cbor",
          "application/own+json",
        ]),
      },
      body: { raw: random.pick(["{}", "", "[]", "not json", '{"data":{"x":"1"}}']) },
    });
  },
  function accepts(builder) {
    const { random } = builder;
    const kind = random.pick(FREE_KINDS);
    const accept = random.pick([
      "*/*",
      "application/*",
      "text/html",
      "application/yaml",
      "application/xml, application/json",
      "application/json;as=Table;g=meta.k8s.io;v=v1",
      "application/json;as=Table;g=meta.k8s.io;v=v9,application/json",
      "application/json;as=Own;g=meta.k8s.io;v=v1",
      "application/json;pretty=1",
      "",
      "application/json;q=0.5",
      "application/vnd.kubernetes.protobuf;as=Own,application/json",
      "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
    ]);
    if (random.chance(0.5)) builder.list(kind, { headers: { accept } });
    else builder.get(configMap, "a", { headers: { accept } });
  },
  function queries(builder) {
    const { random } = builder;
    const query = random.pick<Record<string, string>>([
      { pretty: "true" },
      { dryRun: "Some" },
      { dryRun: "" },
      { fieldManager: "x".repeat(130) },
      { fieldManager: "bad\u0007name" },
      { limit: "x" },
      { limit: "-1" },
      { timeout: "1s" },
      { timeout: "soon" },
      { unknown: "1" },
    ]);
    if (random.chance(0.5)) builder.create(configMap, builder.name(configMap), { query });
    else builder.list(configMap, { query });
  },
  function patchBodies(builder) {
    const { random } = builder;
    const query = {
      fieldManager: random.pick([undefined, "m"]),
      fieldValidation: random.pick([undefined, undefined, "Ignore", "Warn", "Strict", "Own"]),
      dryRun: random.chance(0.5) ? "All" : undefined,
    };
    builder.send("PATCH", builder.at(configMap, random.pick(["a", "a", "none"])), {
      verb: "patch",
      kindName: configMap.kind,
      query,
      headers: {
        "content-type": `application/${random.pick(["json-patch", "merge-patch", "strategic-merge-patch"])}+json`,
      },
      body: { raw: random.pick(PATCHES) },
    });
  },
  function acceptedAnswers(builder) {
    const { random } = builder;
    const headers = { accept: random.pick(ACCEPTED) };
    random.pick([
      () => builder.create(configMap, "b", { headers, query: { dryRun: random.pick([undefined, "All"]) } }),
      () => builder.create(configMap, "-", { headers }),
      () => builder.delete(configMap, random.pick(["b", "none"]), { headers }),
      () => builder.patch(configMap, "a", { type: "merge", body: { data: { key: "two" } } }, { headers }),
      () => builder.send("GET", random.pick(PATHS.slice(0, 18)), { verb: "get", headers }),
    ])();
  },
  function timeouts(builder) {
    const { random } = builder;
    const timeout = random.pick(["soon", "1s", "5", "0s", "-1s", "1h2m", "1x", "1.5s", ".s", "9999999999999999h"]);
    const path = random.pick([builder.at(configMap, "none"), "/api/v1", "/healthz", "/nothing"]);
    builder.send("GET", `${path}?timeout=${timeout}`, { verb: "get" });
  },
  function doors(builder) {
    const { random } = builder;
    const kind = random.pick(KINDS.filter(({ subresources }) => subresources.length > 0));
    const door = random.pick(kind.subresources);
    const method = random.pick(["PUT", "PATCH", "POST", "DELETE", "HEAD", "OPTIONS"]);
    builder.send(method, `${builder.at(kind, "none")}/${door}`, { kindName: kind.kind, body: { json: {} } });
  },
];

const ACCEPTED = [
  "text/html",
  "application/yaml",
  "text/html, application/json",
  "application/json;as=Table;g=meta.k8s.io;v=v1",
  "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
  "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
  "application/json;q=0.5,application/yaml",
  "application/json;stream=watch",
  "application/json;sv=v2",
  "garbage",
  ",",
];

/** Of JSON patches, merge patches and such as are neither. */
const PATCHES = [
  "null",
  "not json",
  '"text"',
  '{"data":',
  '{"data":{"x":1}}',
  '{"data":{"x":"1"},"data":{"y":"2"}}',
  '{"data":{"key":null},"unknown":{"x":1}}',
  '{"metadata":{"name":"b"}}',
  '{"metadata":{"resourceVersion":"1"}}',
  '{"kind":"ServiceAccount"}',
  "[1]",
  '[{"op":"add"}]',
  '[{"op":"own","path":"/data/x"}]',
  '[{"op":"add","path":"/data/x","value":"1","more":1}]',
  '[{"op":"add","path":"/data/x","value":1}]',
  '[{"op":"add","path":"/none/x","value":"1"}]',
  '[{"op":"remove","path":"/data/none"}]',
  '[{"op":"replace","path":"/data/none","value":"1"}]',
  '[{"op":"test","path":"/data/key","value":"other"}]',
  '[{"op":"test","path":"/data/none","value":null}]',
  '[{"op":"copy","from":"/data/key","path":"/data/copy"}]',
  '[{"op":"move","from":"/data/none","path":"/data/moved"}]',
  '[{"op":"add","path":"data","value":{}}]',
  '[{"op":"replace","path":"","value":{"kind":"Secret"}}]',
];
