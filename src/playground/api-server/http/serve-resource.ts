// The verbs of resources, from a parsed request to an answer.
import type { EngineParts, Target, WriteContext } from "../api-context.ts";
import { badRequest, methodNotSupported, noSuchResource, notFound } from "../api-errors.ts";
import type { JsonObject, JsonValue, RequestInfo, UserInfo, VirtualResource } from "../contract.ts";
import { arrayAt, isObject, stringAt } from "../json.ts";
import { createObject } from "../operations/create-object.ts";
import { deleteOptions } from "../operations/delete-options.ts";
import { withOwner } from "../operations/own-review.ts";
import { deleteObject } from "../operations/remove-object.ts";
import { SUBRESOURCE_ACTIONS } from "../operations/subresource-actions.ts";
import { updateObject } from "../operations/update-object.ts";
import { checkPatchType, PATCH_TYPES } from "../patch/patches.ts";
import { apiVersionOf, type ResourceKind, storageKey } from "../resource-kind.ts";
import { strategyOf } from "../strategy/strategies.ts";
import { type Call, type ResourceRequest, type ResourceServer, reply, sendPage } from "./call.ts";
import { checkDeleteOptions, checkWriteOptions } from "./check-options.ts";
import { COMPONENTS, serveComponents } from "./component-statuses.ts";
import { outputForm } from "./output-form.ts";
import { readPatch } from "./patch-body.ts";
import { mediaType, readBody, readBytes } from "./read-body.ts";
import { isTrue } from "./request-info.ts";
import { sendJson, warn, writeAs } from "./respond.ts";
import { deletionOptions, writeOptions } from "./sent-options.ts";
import { servePatch } from "./serve-patch.ts";
import { listed, listOptions, serveGet, serveList, serveWatchVerb } from "./serve-reads.ts";

export async function serveResource(server: ResourceServer, request: ResourceRequest): Promise<void> {
  const { info, query, user } = request;
  const virtual = server.virtual.find((candidate) => isVirtual(candidate, info));
  if (virtual !== undefined && info.verb === "create") return serveVirtual(server.parts, virtual, request);
  const kind = server.parts.registry.find(info.group, info.version, info.resource);
  if (kind === undefined) throw noSuchResource();
  const deprecated = kind.custom?.deprecation ?? DEPRECATED[`${apiVersionOf(kind)}/${kind.plural}`] ?? "";
  if (deprecated !== "") warn(request.response, [deprecated]);
  const form = outputForm(request.request.headers.accept ?? "", query.get("includeObject"), info.verb);
  writeAs(request.response, form.written);
  const call: Call = {
    ...request,
    server,
    kind,
    form,
    target: targetOf(kind, info),
    context: writeContext(request, user),
  };
  await serveCall(call).catch((thrown: unknown) => {
    // Who is refused is warned all the same.
    warn(request.response, call.context.warnings);
    throw thrown;
  });
}

async function serveCall(call: Call): Promise<void> {
  const { kind, info } = call;
  // Custom resources answer as if the object were missing.
  const missing = info.subresource !== "" && !kind.subresources.includes(info.subresource);
  if (missing && kind.custom !== undefined) throw notFound(kind, info.name);
  if (info.subresource !== "" && !STATUS_LIKE.has(info.subresource)) return serveSubresource(call);
  if (info.subresource !== "" && !kind.subresources.includes(info.subresource)) throw noSuchResource();
  if (storageKey(kind) === COMPONENTS) return serveComponents(call);
  const serve = kind.stored ? VERBS[info.verb] : undefined;
  if (serve === undefined) throw methodNotSupported();
  checkRequest(call);
  await serve(call);
}

/** Throws 405 for a verb on the wrong kind of path, 400 or 422 for options that are none. */
function checkRequest({ info, query, request, kind }: Call): void {
  const { verb } = info;
  if (info.subresource === "") {
    const named = NAMED[verb];
    if (named !== undefined && (info.name !== "") !== named) throw methodNotSupported();
    if (verb === "create" && kind.namespaced && info.namespace === "") throw methodNotSupported();
  }
  checkWriteOptions(verb, query, mediaType(request) === PATCH_TYPES.apply);
}

/** Verbs that need a name in the path, and the one that takes none. */
const NAMED: Readonly<Record<string, boolean>> = { create: false, update: true, patch: true };

/** What every answer about a resource tells its user. */
const DEPRECATED: Readonly<Record<string, string>> = {
  "v1/endpoints": "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
  "v1/componentstatuses": "v1 ComponentStatus is deprecated in v1.19+",
};

/** Subresources that are the object itself, seen through another door. */
const STATUS_LIKE = new Set(["status", "approval"]);

const isVirtual = (candidate: VirtualResource, info: RequestInfo) =>
  candidate.group === info.group &&
  candidate.version === info.version &&
  candidate.resource === info.resource &&
  (candidate.subresource ?? "") === info.subresource;

async function serveVirtual(parts: EngineParts, virtual: VirtualResource, asked: ResourceRequest): Promise<void> {
  const { request, response, info, user } = asked;
  const body = (await readBody(request)) ?? {};
  if (!isObject(body)) throw badRequest("the body must hold one object");
  const { fieldManager, dryRun } = writeContext(asked, user);
  const result = await virtual.create({ user, namespace: info.namespace, name: info.name, body, dryRun });
  const shown =
    virtual.tracked === true
      ? withOwner(parts, virtual, { sent: body, answer: result, manager: fieldManager })
      : result;
  sendJson(response, shown, { code: 201 });
}

function targetOf(kind: ResourceKind, info: RequestInfo): Target {
  return { namespace: kind.namespaced ? info.namespace : "", name: info.name, subresource: info.subresource };
}

function writeContext({ request, query }: ResourceRequest, user: UserInfo): WriteContext {
  const agent = (request.headers["user-agent"] ?? "").split("/")[0] ?? "";
  const validation = query.get("fieldValidation");
  return {
    user,
    dryRun: query.getAll("dryRun").includes("All"),
    fieldManager: query.get("fieldManager") || agent || "unknown",
    fieldValidation: validation === "Strict" || validation === "Ignore" ? validation : "Warn",
    warnings: [],
    options: writeOptions(query),
  };
}

type Verb = (call: Call) => Promise<void> | void;

const VERBS: Readonly<Record<string, Verb>> = {
  get: serveGet,
  list: serveList,
  watch: serveWatchVerb,
  create: serveCreate,
  update: serveUpdate,
  patch: servePatch,
  delete: serveDelete,
  deletecollection: serveDeleteCollection,
};

const emptyBody = (kind: string) =>
  `the object provided is unrecognized (must be of type ${kind}): couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)`;

async function neededBody(call: Call, kind = call.kind.kind): Promise<JsonValue> {
  const body = await readBody(call.request, kind);
  if (body === undefined) throw badRequest(emptyBody(kind));
  return body;
}

async function serveCreate(call: Call): Promise<void> {
  const { server, kind, target, context } = call;
  await reply(call, await createObject(server.parts, kind, { target, body: await neededBody(call), context }), 201);
}

async function serveUpdate(call: Call): Promise<void> {
  const { server, kind, target, context } = call;
  const { object, created } = await updateObject(server.parts, kind, { target, body: await neededBody(call), context });
  await reply(call, object, created ? 201 : 200);
}

const PODS_STAY =
  "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning";

async function deletion(call: Call) {
  const given = await readBody(call.request);
  const body = isObject(given) ? given : undefined;
  checkDeleteOptions(body, call.query);
  const options = deleteOptions(body, call.query);
  const { propagationPolicy, orphanDependents } = options;
  if (storageKey(call.kind) === "batch/jobs" && propagationPolicy === "" && orphanDependents === undefined)
    call.context.warnings.push(PODS_STAY);
  const dryRun = body === undefined ? call.context.dryRun : arrayAt(body, "dryRun").includes("All");
  return { context: { ...call.context, dryRun, options: deletionOptions(body, call.query) }, options };
}

async function serveDelete(call: Call): Promise<void> {
  const { server, kind, target } = call;
  const how = await deletion(call);
  const { object, gone, pending } = await deleteObject(server.parts, kind, { target, ...how });
  const whole = strategyOf(kind).returnsDeleted === true;
  const code = !gone && pending !== true && how.options.orphanDependents === false ? 202 : 200;
  if (whole || (!gone && pending !== true)) return reply(call, object, code);
  const details: JsonObject = {
    name: target.name,
    ...(kind.group === "" ? {} : { group: kind.group }),
    kind: kind.plural,
    uid: stringAt(object, "metadata", "uid"),
  };
  const { warnings } = call.context;
  sendJson(call.response, { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details }, { warnings });
}

async function serveDeleteCollection(call: Call): Promise<void> {
  const { server, kind } = call;
  const options = listOptions(call);
  const how = await deletion(call);
  const page = listed(call, options);
  for (const { namespace, name } of page.objects) {
    const target = { namespace, name, subresource: "" };
    await deleteObject(server.parts, kind, { target, ...how });
  }
  await sendPage(call, page);
}

/** What a subresource is asked to take. */
async function bodyOf(call: Call, kind: string | undefined): Promise<JsonValue> {
  if (call.info.verb !== "patch") return neededBody(call, kind);
  return readPatch(mediaType(call.request), await readBytes(call.request), call.context.fieldValidation).value;
}

async function serveSubresource(call: Call): Promise<void> {
  const { kind, info, server, target, context, query } = call;
  const { subresource, verb } = info;
  const row = kind.subresourceRows.find(({ name }) => name === subresource);
  const action = row === undefined ? undefined : SUBRESOURCE_ACTIONS[subresource];
  if (row !== undefined && !row.verbs.includes(verb)) throw methodNotSupported();
  if (action === undefined) throw noSuchResource();
  const patchType = mediaType(call.request);
  if (verb === "patch") checkPatchType(kind, patchType);
  checkWriteOptions(verb, query, patchType === PATCH_TYPES.apply);
  const body = verb === "get" ? undefined : await bodyOf(call, row?.kind);
  const force = isTrue(query.get("force") ?? "false");
  const result = await action({ parts: server.parts, kind, target, context, verb, body, patchType, force });
  sendJson(call.response, result.object, { code: result.code ?? 200, warnings: context.warnings });
}
