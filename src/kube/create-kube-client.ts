import { apiVersionOf, type ResourceType, resourcePath } from "#api/kinds";
import type { KubeList, KubeObject } from "#api/kubernetes/object";
import { createTransport, type Transport } from "./http-transport.ts";
import {
  type DeleteOptions,
  type KubeClient,
  KubeError,
  type ListOptions,
  type ObjectAddress,
  type PatchType,
  type WriteOptions,
} from "./kube-client.ts";
import type { ClusterAccess } from "./kubeconfig.ts";
import { createServerPulse } from "./server-pulse.ts";
import { watchEvents } from "./watch.ts";

const PATCH_CONTENT_TYPES: Record<PatchType, string> = {
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  json: "application/json-patch+json",
  apply: "application/apply-patch+yaml",
};

/** A client of one API server with one identity; connections open when first used. */
export function createKubeClient(access: ClusterAccess): KubeClient {
  const transport = createTransport(access);
  const pulse = createServerPulse({ server: access.server, transport });
  const call = async <T>(request: Parameters<Transport["json"]>[0]): Promise<T> => (await transport.json(request)) as T;
  const resources = new Map<string, Promise<readonly ResourceType[]>>();
  return {
    server: access.server,
    get: (type, at, signal) => call({ method: "GET", path: pathOf(type, at), signal }),
    list: async <T extends KubeObject>(type: ResourceType, options: ListOptions = {}) => {
      const path = collection(type, options.namespace);
      const request = { method: "GET", path, query: listQuery(options), signal: options.signal };
      return withNames(type, await call<KubeList<T>>(request));
    },
    create: (type, object, options = {}) =>
      call({
        method: "POST",
        path: collection(type, object.metadata?.namespace),
        query: writeQuery(options),
        body: typed(type, object),
        signal: options.signal,
      }),
    createSubresource: (type, at, body, options = {}) =>
      call({ method: "POST", path: pathOf(type, at), query: writeQuery(options), body, signal: options.signal }),
    replace: (type, object, options = {}) =>
      call({
        method: "PUT",
        path: pathOf(type, {
          ...addressOf(object),
          ...(options.subresource === undefined ? {} : { subresource: options.subresource }),
        }),
        query: writeQuery(options),
        body: typed(type, object),
        signal: options.signal,
      }),
    patch: (type, at, body, options) =>
      call({
        method: "PATCH",
        path: pathOf(type, at),
        query: { ...writeQuery(options), ...(options.force === undefined ? {} : { force: String(options.force) }) },
        body,
        contentType: PATCH_CONTENT_TYPES[options.type],
        signal: options.signal,
      }),
    async delete(type, at, options = {}) {
      await call({ method: "DELETE", path: pathOf(type, at), body: deleteBody(options), signal: options.signal });
    },
    watch: <T extends KubeObject>(type: ResourceType, options: ListOptions) =>
      watchEvents<T>(transport, {
        path: collection(type, options.namespace),
        query: listQuery(options),
        signal: options.signal,
        pulse,
      }),
    resourceType: (apiVersion, kind) => findResource(call, resources, apiVersion, kind),
    request: (method, path, options = {}) => call({ method, path, ...options }),
    close: () => transport.close(),
  };
}

/** API servers leave out of a list's items what the list says; readers of single objects miss it. */
function withNames<T extends KubeObject>({ group, version, kind }: ResourceType, list: KubeList<T>): KubeList<T> {
  const apiVersion = group === "" ? version : `${group}/${version}`;
  for (const item of list.items) {
    item.apiVersion ??= apiVersion;
    item.kind ??= kind;
  }
  return list;
}

function pathOf(type: ResourceType, at: ObjectAddress): string {
  return resourcePath(type, at);
}

function collection(type: ResourceType, namespace: string | undefined): string {
  return resourcePath(type, namespace === undefined || !type.namespaced ? {} : { namespace });
}

function addressOf(object: KubeObject): ObjectAddress {
  const { namespace, name = "" } = object.metadata ?? {};
  return { name, ...(namespace === undefined ? {} : { namespace }) };
}

function typed(type: ResourceType, object: KubeObject): KubeObject {
  return { ...object, apiVersion: object.apiVersion ?? apiVersionOf(type), kind: object.kind ?? type.kind };
}

function listQuery(options: ListOptions): Record<string, string | undefined> {
  const { labelSelector, fieldSelector, resourceVersion } = options;
  return { labelSelector, fieldSelector, resourceVersion };
}

function writeQuery(options: WriteOptions): Record<string, string | undefined> {
  return { fieldManager: options.fieldManager ?? "isthmus", dryRun: options.dryRun === true ? "All" : undefined };
}

function deleteBody(options: DeleteOptions): unknown {
  const { propagationPolicy, gracePeriodSeconds, uid, resourceVersion } = options;
  const preconditions = uid === undefined && resourceVersion === undefined ? undefined : { uid, resourceVersion };
  return { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy, gracePeriodSeconds, preconditions };
}

interface ResourceList {
  resources?: { name: string; kind: string; namespaced: boolean }[];
}

type Call = <T>(request: { method: string; path: string }) => Promise<T>;

/** A kind that is not in the cached answer is asked for once more: it may be a CRD made meanwhile. */
async function findResource(
  call: Call,
  cache: Map<string, Promise<readonly ResourceType[]>>,
  apiVersion: string,
  kind: string,
): Promise<ResourceType> {
  for (const fresh of [false, true]) {
    let listed = fresh ? undefined : cache.get(apiVersion);
    if (listed === undefined) {
      listed = discover(call, apiVersion);
      cache.set(apiVersion, listed);
      listed.catch(() => cache.delete(apiVersion));
    }
    const found = (await listed).find((type) => type.kind === kind);
    if (found !== undefined) return found;
  }
  throw new KubeError(404, "NotFound", `the server has no kind ${kind} in ${apiVersion}`, {
    hint: `check apiVersion and kind, or install the CustomResourceDefinition that defines ${kind} first`,
  });
}

async function discover(call: Call, apiVersion: string): Promise<readonly ResourceType[]> {
  const slash = apiVersion.indexOf("/");
  const path = slash < 0 ? `/api/${apiVersion}` : `/apis/${apiVersion}`;
  const list = await call<ResourceList>({ method: "GET", path }).catch((thrown: unknown) => {
    if (thrown instanceof KubeError && thrown.status === 404) return { resources: [] };
    throw thrown;
  });
  const group = slash < 0 ? "" : apiVersion.slice(0, slash);
  const version = apiVersion.slice(slash + 1);
  return (list.resources ?? [])
    .filter((entry) => !entry.name.includes("/"))
    .map((entry) => ({ group, version, kind: entry.kind, plural: entry.name, namespaced: entry.namespaced }));
}
