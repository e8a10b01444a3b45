// The versions of a kind as those who keep track of owners see them: types, conversions, and what a door never changes.
import type { EngineParts } from "../api-context.ts";
import { type Type, typeOf } from "../apply/atoms.ts";
import { emptySet, type FieldSet, setOf } from "../apply/field-set.ts";
import { oneVersion } from "../apply/managed-fields.ts";
import type { Versions } from "../apply/updater.ts";
import { typeFaults } from "../apply/validate-typed.ts";
import { ApiStatusError, type JsonObject } from "../contract.ts";
import { convertCustom } from "../crd/convert-custom.ts";
import { resourceSchema } from "../crd/custom-kinds.ts";
import { apiVersionOf, parseApiVersion, type ResourceKind, storageKey } from "../resource-kind.ts";
import { hasConversions, inVersion } from "./convert-version.ts";

/** In `subresource`'s eyes: the front door never changes the status, the status door never the rest. */
export function versionsOf(parts: EngineParts, kind: ResourceKind, subresource: string): Versions {
  const reset = resetFields(kind, subresource);
  if (kind.custom !== undefined) {
    const resetIn = (version: string) => resetInVersion(parts, { kind, version, subresource, reset });
    return customVersions(kind, reset, resetIn);
  }
  return (apiVersion) => {
    const { group, version } = parseApiVersion(apiVersion);
    const served = parts.registry.find(group, version, kind.plural);
    // Events have two groups, and owners of fields by the other group's names are forgotten.
    if (served === undefined || group !== kind.group) return undefined;
    const same = served.group === kind.group && served.version === kind.version;
    const converts = !same && hasConversions(kind, served);
    return {
      type: typeOf(served.schema),
      reset,
      show: converts ? (object) => inVersion(kind, served, object) : (object) => object,
      read: converts ? (object) => inVersion(served, kind, object) : (object) => object,
    };
  };
}

/** Objects cross over to another version as the definition says, and must be of its type then. */
function customVersions(kind: ResourceKind, reset: FieldSet, resetIn: (version: string) => FieldSet): Versions {
  const own = apiVersionOf(kind);
  const ownVersion = oneVersion(kind.schema, reset)(own);
  const crossed = (object: JsonObject, apiVersion: string, type: Type) => {
    const converted = convertCustom(kind, object, apiVersion);
    const faults = typeFaults(type, converted, "doubles allowed");
    if (faults !== undefined) throw new ApiStatusError(500, "", faults);
    return converted;
  };
  return (apiVersion) => {
    if (apiVersion === own) return ownVersion;
    const { version } = parseApiVersion(apiVersion);
    const form = kind.custom?.forms?.get(version);
    const type = form === undefined ? typeOf(kind.schema) : typeOf(resourceSchema(form));
    return {
      type,
      reset: resetIn(version),
      show: (object) => crossed(named(kind, object, own), apiVersion, type),
      read: (object) => crossed(named(kind, object, apiVersion), own, typeOf(kind.schema)),
    };
  };
}

interface OtherVersion {
  readonly kind: ResourceKind;
  readonly version: string;
  readonly subresource: string;
  readonly reset: FieldSet;
}

/** The front door of a custom kind looks at its own version alone, the status door at all that have one. */
function resetInVersion({ registry }: EngineParts, { kind, version, subresource, reset }: OtherVersion): FieldSet {
  if (subresource !== "status") return emptySet();
  const other = registry.find(kind.group, version, kind.plural);
  return other?.subresources.includes("status") === false ? emptySet() : reset;
}

/** What was taken out of an object may have lost its name. */
const named = ({ kind }: ResourceKind, object: JsonObject, apiVersion: string): JsonObject => ({
  ...object,
  apiVersion,
  kind,
});

const STATUS = setOf(["status"]);
const SPEC = setOf(["spec"]);
const SPEC_AND_METADATA = setOf(["spec"], ["metadata"]);

/** What the front door resets where it is not the status. */
const FRONT: Readonly<Record<string, FieldSet>> = {
  "networking.k8s.io/servicecidrs": emptySet(),
  "certificates.k8s.io/certificatesigningrequests": setOf(["spec"], ["status"]),
};

/** What the side doors reset where it is not the spec. */
const SIDE: Readonly<Record<string, FieldSet>> = {
  "networking.k8s.io/servicecidrs/status": emptySet(),
  "certificates.k8s.io/certificatesigningrequests/status": setOf(["spec"], ["status", "conditions"]),
  "certificates.k8s.io/certificatesigningrequests/approval": setOf(["spec"], ["status", "certificate"]),
  "apps/deployments/status": setOf(["spec"], ["metadata", "labels"]),
  "/pods/status": setOf(["spec"], ["metadata", "deletionTimestamp"], ["metadata", "ownerReferences"]),
  "storagemigration.k8s.io/storageversionmigrations/status": SPEC_AND_METADATA,
  "resource.k8s.io/resourceclaims/status": SPEC_AND_METADATA,
  "storage.k8s.io/volumeattachments/status": SPEC_AND_METADATA,
  "flowcontrol.apiserver.k8s.io/flowschemas/status": SPEC_AND_METADATA,
  "flowcontrol.apiserver.k8s.io/prioritylevelconfigurations/status": SPEC_AND_METADATA,
  "admissionregistration.k8s.io/validatingadmissionpolicies/status": SPEC_AND_METADATA,
  "apiextensions.k8s.io/customresourcedefinitions/status": SPEC_AND_METADATA,
  "apiregistration.k8s.io/apiservices/status": SPEC_AND_METADATA,
};

function resetFields(kind: ResourceKind, subresource: string): FieldSet {
  const key = storageKey(kind);
  if (subresource === "status" || subresource === "approval") return SIDE[`${key}/${subresource}`] ?? SPEC;
  if (subresource !== "") return emptySet();
  return FRONT[key] ?? (kind.subresources.includes("status") ? STATUS : emptySet());
}
