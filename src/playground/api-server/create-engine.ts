// The engine without a door: store, kinds and allocator, and the access that plug-ins have to the objects. It is made
// before the plug-ins, which read objects, and they before the server.
import type { Logger } from "#base/logger";
import type { ClusterProcessConfig } from "#playground/process-config";
import { createWebhookTransport } from "./admission/webhook-transport.ts";
import type { EngineParts } from "./api-context.ts";
import { noSuchResource, notFound } from "./api-errors.ts";
import { SERVER } from "./bootstrap-objects.ts";
import type { ObjectAccess } from "./contract.ts";
import type { Converter } from "./crd/convert-custom.ts";
import { askConversion } from "./crd/conversion-review.ts";
import { arrayAt } from "./json.ts";
import { deleteOptions } from "./operations/delete-options.ts";
import { deleteObject } from "./operations/remove-object.ts";
import { createRegistry } from "./registry.ts";
import { type ResourceKind, resourceKey } from "./resource-kind.ts";
import { openJournal } from "./store/journal.ts";
import { createObjectStore } from "./store/object-store.ts";
import { createServiceAllocator } from "./strategy/service-allocator.ts";

/** The parts without admission, and the plug-ins' access to them. */
export interface Engine extends Omit<EngineParts, "admission"> {
  readonly objects: ObjectAccess;
}

const SERVICE_CIDRS = "networking.k8s.io/servicecidrs";

/** Opens the journal of `dataDir`; without one, objects live in memory. Throws MeshError JOURNAL_DAMAGED. */
export function createEngine(
  config: Pick<ClusterProcessConfig, "serviceCIDR" | "ipv6" | "dataDir">,
  logger: Logger,
): Engine {
  const { dataDir } = config;
  const store = createObjectStore({
    journal: dataDir === undefined ? undefined : openJournal({ folder: dataDir, logger }),
  });
  const allocator = createServiceAllocator(config.serviceCIDR, ...(config.ipv6 ? [config.ipv6.serviceCIDR] : []));
  const followRanges = () => allocator.followRanges(store.list(SERVICE_CIDRS));
  followRanges();
  store.subscribe(followRanges, SERVICE_CIDRS);
  for (const service of store.list("/services")) allocator.hold(service);
  store.subscribe(({ type, object, previous }) => {
    if (type === "DELETED") allocator.release(previous ?? object);
  }, "/services");
  // The services at which webhooks are dialled are objects, too.
  const convert: Converter = (call) => askConversion(transport, call);
  const parts = { store, allocator, registry: createRegistry(), now: Date.now, convert };
  const objects = objectAccess({ ...parts, admission: [] });
  const transport = createWebhookTransport(objects);
  return { ...parts, objects };
}

function objectAccess(parts: EngineParts): ObjectAccess {
  const { store, registry } = parts;
  const kindOf = (group: string, resource: string): ResourceKind => {
    const kind = registry.storageKind(group, resource);
    if (kind === undefined) throw noSuchResource();
    return kind;
  };
  return {
    get: (group, resource, namespace, name) => store.get(resourceKey(group, resource), namespace, name),
    list: (group, resource, namespace) => store.list(resourceKey(group, resource), namespace),
    update({ group, resource, namespace, name }, change) {
      const key = resourceKey(group, resource);
      const current = store.get(key, namespace, name);
      if (current === undefined) throw notFound({ group, plural: resource }, name);
      return store.commit(key, "MODIFIED", change(structuredClone(current)));
    },
    async delete({ group, resource, namespace, name }, body) {
      const target = { namespace, name, subresource: "" };
      const options = deleteOptions(body, new URLSearchParams());
      const context = { ...SERVER, dryRun: arrayAt(body, "dryRun").includes("All") };
      return (await deleteObject(parts, kindOf(group, resource), { target, context, options })).object;
    },
    subscribe: (listener) =>
      store.subscribe(({ key, type, object }) => {
        const [group = "", resource = ""] = key.split("/");
        listener({ group, resource, type, object });
      }),
  };
}
