// The IPAddress objects of Services: who has which address of the range, for people and programs to read. The allocator
// itself counts on the Services.
import type { EngineParts } from "./api-context.ts";
import { SERVER } from "./bootstrap-objects.ts";
import type { JsonObject } from "./contract.ts";
import { arrayAt, stringAt } from "./json.ts";
import { createObject } from "./operations/create-object.ts";
import { removeObject } from "./operations/remove-object.ts";
import { resourceKey } from "./resource-kind.ts";

const GROUP = "networking.k8s.io";
const ADDRESSES = resourceKey(GROUP, "ipaddresses");
const LABELS = "ipaddress.kubernetes.io";

/** From now on; ends when the returned function is called. */
export function watchServiceAddresses(parts: EngineParts): () => void {
  const own = { ...parts, admission: [] };
  const settle = (service: JsonObject | undefined, before: JsonObject | undefined) => {
    const [wanted, had] = [addressesOf(service), addressesOf(before)];
    const gone = had.filter((ip) => !wanted.includes(ip));
    const come = wanted.filter((ip) => !had.includes(ip));
    if (gone.length + come.length === 0) return;
    // Whoever wrote gets the answer first.
    queueMicrotask(() => {
      for (const ip of gone) forget(own, ip, before);
      for (const ip of come) if (service !== undefined) void remember(own, ip, service);
    });
  };
  for (const service of parts.store.list("/services")) settle(service, undefined);
  return parts.store.subscribe(({ type, object, previous }) => {
    if (type === "DELETED") settle(undefined, previous ?? object);
    else settle(object, previous);
  }, "/services");
}

const addressesOf = (service: JsonObject | undefined): string[] =>
  arrayAt(service, "spec", "clusterIPs")
    .map(String)
    .filter((ip) => ip !== "None" && ip !== "");

async function remember(parts: EngineParts, ip: string, service: JsonObject): Promise<void> {
  const kind = parts.registry.storageKind(GROUP, "ipaddresses");
  if (kind === undefined || parts.store.get(ADDRESSES, "", ip) !== undefined) return;
  const family = ip.includes(":") ? "IPv6" : "IPv4";
  const body: JsonObject = {
    apiVersion: `${GROUP}/v1`,
    kind: "IPAddress",
    metadata: {
      name: ip,
      labels: { [`${LABELS}/ip-family`]: family, [`${LABELS}/managed-by`]: "ipallocator.k8s.io" },
    },
    spec: { parentRef: { resource: "services", ...parentOf(service) } },
  };
  try {
    const target = { namespace: "", name: ip, subresource: "" };
    await createObject(parts, kind, { target, body, context: { ...SERVER, warnings: [] } });
  } catch {
    // Somebody made it by hand meanwhile.
  }
}

/** Only what was made for this Service. */
function forget(parts: EngineParts, ip: string, service: JsonObject | undefined): void {
  const kind = parts.registry.storageKind(GROUP, "ipaddresses");
  const found = parts.store.get(ADDRESSES, "", ip);
  if (kind === undefined || found === undefined || service === undefined) return;
  const { namespace, name } = parentOf(service);
  const isIts =
    stringAt(found, "spec", "parentRef", "namespace") === namespace &&
    stringAt(found, "spec", "parentRef", "name") === name;
  if (isIts) removeObject(parts, kind, structuredClone(found));
}

const parentOf = (service: JsonObject) => ({
  namespace: stringAt(service, "metadata", "namespace"),
  name: stringAt(service, "metadata", "name"),
});
