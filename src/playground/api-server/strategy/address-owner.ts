// An address of a Service is held by an IPAddress that names the Service: one that cannot be named there gets none.
import { type FieldError, fieldErrorText } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { objectAt, stringAt } from "../json.ts";
import { invalid, invalids, required } from "../validation/field-errors.ts";
import { pathSegment } from "../validation/formats.ts";

/** `asked` is the clusterIP that the client wants, if any; the Service has its address already. */
export function checkAddressOwner(service: JsonObject, asked: string): FieldError[] {
  const [name, field] = [stringAt(service, "metadata", "name"), "spec.parentRef.name"];
  const faults = name === "" ? [required(field)] : invalids(field, name, pathSegment(name));
  const ip = stringAt(service, "spec", "clusterIP");
  if (faults.length === 0 || ip === "" || ip === "None") return [];
  const texts = faults.map((fault) => `${fault.field}: ${fieldErrorText(fault)}`);
  const why = texts.length === 1 ? texts[0] : `[${texts.join(", ")}]`;
  const what = asked === "" ? "failed to allocate IP" : `failed to allocate IP ${asked}`;
  return [invalid("spec.clusterIPs", [asked], `${what}: IPAddress.networking.k8s.io "${ip}" is invalid: ${why}`)];
}

export const askedAddress = (service: JsonObject): string => stringAt(objectAt(service, "spec"), "clusterIP");
