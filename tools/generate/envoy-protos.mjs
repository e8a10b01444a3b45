// Writes src/envoy/gen: TypeScript for the Envoy messages we build or read, cut down to what is reachable from ROOTS.
// protoc-gen-es is run as the plugin it is, with a request made here, so that no protoc is needed.
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  CodeGeneratorRequestSchema,
  CodeGeneratorResponseSchema,
} from "@bufbuild/protobuf/wkt/google/protobuf/compiler/plugin_pb.js";
import { ENVOY_RELEASE, envoyDescriptors } from "./envoy-descriptors.mjs";

/** A prefix stands for all messages of a package. */
const ROOTS = [
  "envoy.config.bootstrap.v3.Bootstrap",
  "envoy.config.cluster.v3.Cluster",
  "envoy.config.endpoint.v3.ClusterLoadAssignment",
  "envoy.config.listener.v3.Listener",
  "envoy.config.route.v3.RouteConfiguration",
  "envoy.service.discovery.v3.DiscoveryRequest",
  "envoy.service.discovery.v3.DiscoveryResponse",
  "envoy.service.discovery.v3.DeltaDiscoveryRequest",
  "envoy.service.discovery.v3.DeltaDiscoveryResponse",
  "envoy.admin.v3.ConfigDump",
  "envoy.admin.v3.BootstrapConfigDump",
  "envoy.admin.v3.ClustersConfigDump",
  "envoy.admin.v3.ListenersConfigDump",
  "envoy.admin.v3.RoutesConfigDump",
  "envoy.admin.v3.EndpointsConfigDump",
  "envoy.admin.v3.SecretsConfigDump",
  "envoy.admin.v3.Clusters",
  "envoy.extensions.access_loggers.file.v3.",
  "envoy.extensions.access_loggers.stream.v3.",
  "envoy.extensions.access_loggers.stats.v3.",
  "envoy.extensions.bootstrap.internal_listener.v3.",
  "envoy.extensions.filters.http.cors.v3.",
  "envoy.extensions.filters.http.ext_authz.v3.",
  "envoy.extensions.filters.http.fault.v3.",
  "envoy.extensions.filters.http.grpc_stats.v3.",
  "envoy.extensions.filters.http.header_to_metadata.v3.",
  "envoy.extensions.filters.http.jwt_authn.v3.",
  "envoy.extensions.filters.http.local_ratelimit.v3.",
  "envoy.extensions.filters.http.lua.v3.",
  "envoy.extensions.filters.http.rbac.v3.",
  "envoy.extensions.filters.http.router.v3.",
  "envoy.extensions.filters.http.set_filter_state.v3.",
  "envoy.extensions.filters.listener.http_inspector.v3.",
  "envoy.extensions.filters.listener.original_dst.v3.",
  "envoy.extensions.filters.listener.proxy_protocol.v3.",
  "envoy.extensions.filters.listener.tls_inspector.v3.",
  "envoy.extensions.filters.network.ext_authz.v3.",
  "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
  "envoy.extensions.filters.network.local_ratelimit.v3.",
  "envoy.extensions.filters.network.rbac.v3.",
  "envoy.extensions.filters.network.set_filter_state.v3.",
  "envoy.extensions.filters.network.sni_cluster.v3.",
  "envoy.extensions.filters.network.tcp_proxy.v3.",
  "envoy.extensions.formatter.cel.v3.",
  "envoy.extensions.load_balancing_policies.least_request.v3.",
  "envoy.extensions.load_balancing_policies.maglev.v3.",
  "envoy.extensions.load_balancing_policies.random.v3.",
  "envoy.extensions.load_balancing_policies.ring_hash.v3.",
  "envoy.extensions.load_balancing_policies.round_robin.v3.",
  "envoy.extensions.load_balancing_policies.wrr_locality.v3.",
  "envoy.extensions.path.match.uri_template.v3.",
  "envoy.extensions.retry.host.previous_hosts.v3.",
  "envoy.extensions.retry.host.omit_canary_hosts.v3.",
  "envoy.extensions.retry.priority.previous_priorities.v3.",
  "envoy.extensions.transport_sockets.internal_upstream.v3.",
  "envoy.extensions.transport_sockets.raw_buffer.v3.",
  "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
  "envoy.extensions.transport_sockets.tls.v3.Secret",
  "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
  "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
];

/** Fields of these types are left out: big, and nothing of ours speaks them. */
const LEFT_OUT = /^(google\.api\.expr|cel\.expr|envoy\.config\.metrics\.v3\.StatsSink|envoy\.watchdog)/;

export function generateEnvoyProtos(root, cache) {
  const { files, sha256 } = envoyDescriptors(cache);
  const wanted = reachable(files, ROOTS);
  const kept = [...files.values()].map((file) => cut(file, wanted)).filter((file) => file !== undefined);
  linkImports(kept);
  const generated = sortByImport(kept);
  const request = create(CodeGeneratorRequestSchema, {
    fileToGenerate: generated.map((file) => file.name).filter((name) => !name.startsWith("google/protobuf/")),
    parameter: "target=ts,import_extension=ts,elide_plugin_version=true",
    protoFile: generated,
  });
  const response = runPlugin(root, toBinary(CodeGeneratorRequestSchema, request));
  const folder = join(root, "src/envoy/gen");
  rmSync(folder, { recursive: true, force: true });
  for (const file of response.file) {
    const path = join(folder, file.name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, readable(file.content));
  }
  writeFileSync(
    join(folder, "SOURCE.txt"),
    `Generated by tools/generate.mjs from the descriptors inside Envoy ${ENVOY_RELEASE} (sha256 ${sha256}). Do not edit.\n`,
  );
}

const fullName = (prefix, name) => (prefix ? `${prefix}.${name}` : name);

/** Every message and enum, by full name, with the top-level message that holds it. */
function indexTypes(files) {
  const index = new Map();
  const visit = (message, prefix, top) => {
    const name = fullName(prefix, message.name);
    index.set(name, { message, top: top ?? name });
    for (const nested of message.nestedType) visit(nested, name, top ?? name);
    for (const type of message.enumType) index.set(fullName(name, type.name), { top: top ?? name });
  };
  for (const file of files.values()) {
    for (const message of file.messageType) visit(message, file.package);
    for (const type of file.enumType)
      index.set(fullName(file.package, type.name), { top: fullName(file.package, type.name) });
  }
  return index;
}

const typeOf = (field) => field.typeName.replace(/^\./, "");
const isLeftOut = (field) => LEFT_OUT.test(typeOf(field));

/** Full names of every message and enum that ROOTS lead to, holders of nested ones included. */
function reachable(files, roots) {
  const index = indexTypes(files);
  const seen = new Set();
  const add = (name) => {
    if (seen.has(name)) return;
    seen.add(name);
    const parent = name.slice(0, name.lastIndexOf("."));
    if (index.has(parent)) add(parent);
    for (const field of index.get(name)?.message?.field ?? []) {
      if (field.typeName !== "" && !isLeftOut(field)) add(typeOf(field));
    }
  };
  for (const root of roots) {
    const names = [...index.keys()].filter((name) => (root.endsWith(".") ? name.startsWith(root) : name === root));
    if (names.length === 0) throw new Error(`Envoy ${ENVOY_RELEASE} has no message ${root}`);
    for (const name of names) add(name);
  }
  return seen;
}

/** The file with its wanted messages only, and without custom options, services and extensions. */
function cut(file, wanted) {
  if (file.name.startsWith("google/protobuf/")) return file;
  file.messageType = cutMessages(file.messageType, file.package, wanted);
  file.enumType = cutEnums(file.enumType, file.package, wanted);
  file.service = [];
  file.extension = [];
  file.options = undefined;
  return file.messageType.length + file.enumType.length > 0 ? file : undefined;
}

function cutMessages(messages, prefix, wanted) {
  return messages
    .filter((message) => wanted.has(fullName(prefix, message.name)))
    .map((message) => {
      const name = fullName(prefix, message.name);
      message.field = message.field.filter((field) => !isLeftOut(field));
      for (const field of message.field) field.options = plainOptions(field.options);
      message.nestedType = cutMessages(message.nestedType, name, wanted);
      message.enumType = cutEnums(message.enumType, name, wanted);
      message.options = message.options?.mapEntry ? plainOptions(message.options) : undefined;
      message.reservedRange = [];
      message.reservedName = [];
      return dropEmptyOneofs(message);
    });
}

function cutEnums(enums, prefix, wanted) {
  const kept = enums.filter((type) => wanted.has(fullName(prefix, type.name)));
  for (const type of kept) {
    type.options = undefined;
    type.reservedRange = [];
    type.reservedName = [];
    for (const value of type.value) value.options = plainOptions(value.options);
  }
  return kept;
}

/** Options that protobuf itself defines stay; those of Envoy's linters and validators go. */
function plainOptions(options) {
  if (options !== undefined) options.$unknown = [];
  return options;
}

function dropEmptyOneofs(message) {
  const used = [...new Set(message.field.filter((field) => hasOneof(field)).map((field) => field.oneofIndex))].sort(
    (a, b) => a - b,
  );
  message.oneofDecl = used.map((index) => ({ ...message.oneofDecl[index], options: undefined }));
  for (const field of message.field) if (hasOneof(field)) field.oneofIndex = used.indexOf(field.oneofIndex);
  return message;
}

const hasOneof = (field) => Object.hasOwn(field, "oneofIndex");

/** Imports are written anew from the types that the kept fields name. */
function linkImports(files) {
  const home = new Map();
  for (const file of files)
    for (const name of indexTypes(new Map([[file.name, file]])).keys()) home.set(name, file.name);
  const namesIn = (message) => [
    ...message.field.map(typeOf).filter((name) => name !== ""),
    ...message.nestedType.flatMap(namesIn),
  ];
  for (const file of files) {
    if (file.name.startsWith("google/protobuf/")) continue;
    const imports = new Set(file.messageType.flatMap(namesIn).map((name) => home.get(name)));
    imports.delete(file.name);
    file.dependency = [...imports].sort();
    file.publicDependency = [];
    file.weakDependency = [];
  }
}

function sortByImport(files) {
  const byName = new Map(files.map((file) => [file.name, file]));
  const sorted = new Set();
  const visit = (file) => {
    if (sorted.has(file)) return;
    for (const name of file.dependency) if (byName.has(name)) visit(byName.get(name));
    sorted.add(file);
  };
  for (const file of [...files].sort((a, b) => (a.name < b.name ? -1 : 1))) visit(file);
  return [...sorted];
}

function runPlugin(root, input) {
  const plugin = join(root, "node_modules/@bufbuild/protoc-gen-es/bin/protoc-gen-es");
  const result = spawnSync(process.execPath, [plugin], { input, maxBuffer: 1 << 28 });
  if (result.status !== 0) throw new Error(`protoc-gen-es failed: ${result.stderr}`);
  const response = fromBinary(CodeGeneratorResponseSchema, result.stdout);
  if (response.error) throw new Error(`protoc-gen-es: ${response.error}`);
  return response;
}

/** Each block comment goes that is not a deprecation: without source comments the generator can only repeat names. */
function dropEmptyComments(text) {
  return text.replace(/^ *\/\*\*\n(?: *\*(?!\/)[^\n]*\n)* *\*\/\n/gm, (block) =>
    block.includes("@deprecated") ? `${/^ */.exec(block)[0]}/** @deprecated */\n` : "",
  );
}

/** TypeScript's enums are code that cannot be erased; a constant and a type of the same name serve alike. */
function enumsToConstants(text) {
  return text.replace(/^export enum (\w+) \{\n([\s\S]*?)^\}\n/gm, (_, name, body) => {
    const members = body.replace(/^( *)(\w+) = (\d+),$/gm, "$1$2: $3,").replace(/\n\n/g, "\n");
    return `export const ${name} = {\n${members}} as const;\nexport type ${name} = (typeof ${name})[keyof typeof ${name}];\n`;
  });
}

function readable(text) {
  return enumsToConstants(dropEmptyComments(text)).replace(/;\n\n(?= {2})/g, ";\n");
}
