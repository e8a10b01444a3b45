// VolumeAttachments: a volume on a node, by its name or written whole.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { deepEqual, isObject, objectAt, stringAt } from "../json.ts";
import { checkInlineVolume } from "./persistent-volumes.ts";
import { forbidden, IMMUTABLE, invalid, invalids, required, tooLong } from "./field-errors.ts";
import { bytes, dnsSubdomain, inclusiveRange } from "./formats.ts";
import { internalForm } from "./internal-form.ts";
import { checkDriverName } from "./pods/volume-sources.ts";

const ONE_SOURCE = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";

export function checkAttachment(attachment: JsonObject): FieldError[] {
  const spec = objectAt(attachment, "spec");
  const node = stringAt(spec, "nodeName");
  return [
    ...(stringAt(spec, "attacher") === "" ? [required("spec.attacher")] : []),
    ...checkAttachmentSource(objectAt(spec, "source")),
    ...invalids("spec.nodeName", node, dnsSubdomain(node)),
    ...checkVolumeErrors(attachment),
  ];
}

function checkAttachmentSource(source: JsonObject): FieldError[] {
  const [name, inline] = [source["persistentVolumeName"], isObject(source["inlineVolumeSpec"])];
  if (name === undefined)
    return inline
      ? checkInlineVolume("spec.source.inlineVolumeSpec", objectAt(source, "inlineVolumeSpec"))
      : [required("spec.source", ONE_SOURCE)];
  if (inline) return [forbidden("spec.source", ONE_SOURCE)];
  return name === ""
    ? [required("spec.source.persistentVolumeName", "must specify non empty persistentVolumeName")]
    : [];
}

function checkVolumeErrors(attachment: JsonObject): FieldError[] {
  return ["attachError", "detachError"].flatMap((which) => {
    const [path, error] = [`status.${which}`, objectAt(attachment, "status", which)];
    const code = error["errorCode"];
    return [
      ...(bytes(stringAt(error, "message")) > 1024 ? [tooLong(`${path}.message`, 256 * 1024)] : []),
      ...(typeof code === "number" && code < 0
        ? [invalid(`${path}.errorCode`, code, inclusiveRange(0, 2 ** 31 - 1))]
        : []),
    ];
  });
}

/** What Kubernetes asks of new ones only. */
export function checkNewAttachment(attachment: JsonObject): FieldError[] {
  const name = objectAt(attachment, "spec", "source")["persistentVolumeName"];
  return [
    ...checkAttachment(attachment),
    ...checkDriverName("spec.attacher", stringAt(attachment, "spec", "attacher")),
    ...(typeof name === "string" ? invalids("spec.source.persistentVolumeName", name, dnsSubdomain(name)) : []),
  ];
}

export function checkAttachmentUpdate(attachment: JsonObject, old: JsonObject): FieldError[] {
  const errors = checkAttachment(attachment);
  const spec = objectAt(attachment, "spec");
  if (deepEqual(spec, objectAt(old, "spec"))) return errors;
  const source = objectAt(spec, "source");
  const shown = {
    Attacher: stringAt(spec, "attacher"),
    Source: {
      PersistentVolumeName: source["persistentVolumeName"] ?? null,
      InlineVolumeSpec: shownVolume(source["inlineVolumeSpec"]),
    },
    NodeName: stringAt(spec, "nodeName"),
  };
  return [...errors, invalid("spec", shown, IMMUTABLE)];
}

/** With Go's names, in Go's order. */
function shownVolume(spec: JsonValue | undefined): JsonValue {
  if (!isObject(spec)) return null;
  const { claimRef, nodeAffinity } = spec;
  const wanted = objectAt(nodeAffinity)["required"];
  return {
    Capacity: spec["capacity"] ?? null,
    ...internalForm("PersistentVolumeSource", spec),
    AccessModes: spec["accessModes"] ?? null,
    ClaimRef: isObject(claimRef) ? internalForm("ObjectReference", claimRef) : null,
    PersistentVolumeReclaimPolicy: stringAt(spec, "persistentVolumeReclaimPolicy"),
    StorageClassName: stringAt(spec, "storageClassName"),
    MountOptions: spec["mountOptions"] ?? null,
    VolumeMode: spec["volumeMode"] ?? null,
    NodeAffinity: isObject(nodeAffinity)
      ? { Required: isObject(wanted) ? internalForm("NodeSelector", wanted) : null }
      : null,
    VolumeAttributesClassName: spec["volumeAttributesClassName"] ?? null,
  };
}
