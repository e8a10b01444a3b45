// The volumes of a pod.
import type { FieldError } from "../../api-errors.ts";
import type { JsonObject, JsonValue } from "../../contract.ts";
import { isObject, numberAt, objectAt, objectsAt, stringAt } from "../../json.ts";
import { nanoUnits } from "../../quantity.ts";
import { duplicate, forbidden, invalid, invalids, required } from "../field-errors.ts";
import { bytes, dnsLabel, dnsSubdomain } from "../formats.ts";
import { checkLabels } from "../label-selectors.ts";
import { checkAnnotations } from "../object-meta.ts";
import { localUnreservedPath } from "../paths.ts";
import { checkClaimSpec } from "../persistent-volume-claims.ts";
import { checkDownwardFile } from "./downward-api.ts";
import { checkPullPolicy } from "./pull-policy.ts";
import { checkKeyToPath, checkMode, type SourceCheck, VOLUME_SOURCES } from "./volume-sources.ts";

const SOURCES: Readonly<Record<string, SourceCheck>> = {
  ...VOLUME_SOURCES,
  downwardAPI: (path, source) => [
    ...checkMode(`${path}.defaultMode`, source["defaultMode"]),
    ...objectsAt(source, "items").flatMap((file) => checkDownwardFile(path, file)),
  ],
  projected: checkProjected,
  ephemeral: checkEphemeral,
  image: (path, source) => checkPullPolicy(`${path}.pullPolicy`, stringAt(source, "pullPolicy")),
};

/** In Kubernetes' order; the names under which a second source is refused differ here and there. */
const ORDER = [
  ...["emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs", "iscsi"],
  ...["glusterfs", "flocker", "persistentVolumeClaim", "rbd", "cinder", "cephfs", "quobyte", "downwardAPI", "fc"],
  ...["flexVolume", "configMap", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk"],
  ...["storageos", "projected", "scaleIO", "csi", "ephemeral", "image"],
];
const REFUSED_AS: Readonly<Record<string, string>> = { cephfs: "cephFS", downwardAPI: "downwarAPI" };
const CHECKED_AS: Readonly<Record<string, string>> = { gcePersistentDisk: "persistentDisk" };

export interface PodVolumes {
  /** Volumes without a fault, by name. */
  readonly good: ReadonlyMap<string, JsonObject>;
  readonly errors: FieldError[];
}

export interface VolumeRule {
  readonly path: string;
  /** Of a pod itself; a template has none. */
  readonly podName: string | undefined;
}

export function checkVolumes(volumes: readonly JsonObject[], { path, podName }: VolumeRule): PodVolumes {
  const good = new Map<string, JsonObject>();
  const errors = volumes.flatMap((volume, index) => {
    const at = `${path}[${index}]`;
    const name = stringAt(volume, "name");
    const own = [...checkSource(at, volume, podName !== undefined), ...checkNames(at, volume, podName)];
    if (name === "") own.push(required(`${at}.name`));
    else own.push(...invalids(`${at}.name`, name, dnsLabel(name)));
    if (good.has(name)) own.push(duplicate(`${at}.name`, name));
    if (own.length === 0) good.set(name, volume);
    return own;
  });
  return { good, errors };
}

function checkSource(path: string, volume: JsonObject, inPod: boolean): FieldError[] {
  const given = ORDER.filter((name) => isObject(volume[name]));
  if (given.length === 0) return [required(path, "must specify a volume type")];
  return given.flatMap((name, index) => {
    if (name === "emptyDir") return checkSizeLimit(path, objectAt(volume, name));
    if (index > 0) return [forbidden(`${path}.${REFUSED_AS[name] ?? name}`, "may not specify more than 1 volume type")];
    const errors = SOURCES[name]?.(`${path}.${CHECKED_AS[name] ?? name}`, objectAt(volume, name)) ?? [];
    const needsReference = name === "image" && inPod && stringAt(volume, "image", "reference") === "";
    return needsReference ? [required(`${path}.image.reference`), ...errors] : errors;
  });
}

const LONG_TARGET =
  "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.";

/** What becomes of the volume's name. */
function checkNames(path: string, volume: JsonObject, podName = ""): FieldError[] {
  const [name, iscsi, ephemeral] = [stringAt(volume, "name"), volume["iscsi"], volume["ephemeral"]];
  const errors: FieldError[] = [];
  const target = `${name}:${stringAt(iscsi, "targetPortal")}`;
  if (isObject(iscsi) && iscsi["initiatorName"] !== undefined && bytes(target) > 64)
    errors.push(invalid(`${path}.name`, name, LONG_TARGET));
  if (!isObject(ephemeral) || podName === "" || name === "") return errors;
  const claim = `${podName}-${name}`;
  const faults = dnsSubdomain(claim).map((fault) => `PVC name ${JSON.stringify(claim)}: ${fault}`);
  return [...errors, ...invalids(`${path}.name`, name, faults)];
}

function checkSizeLimit(path: string, source: JsonObject): FieldError[] {
  if (nanoUnits(source["sizeLimit"]) >= 0n) return [];
  return [forbidden(`${path}.emptyDir.sizeLimit`, "SizeLimit field must be a valid resource quantity")];
}

type Claim = (at: string, shown: JsonValue) => FieldError[];

function checkProjected(path: string, source: JsonObject): FieldError[] {
  const paths = new Set<string>();
  const claim: Claim = (at, shown) => {
    if (at === "") return [];
    if (paths.has(at)) return [invalid(path, shown, "conflicting duplicate paths")];
    paths.add(at);
    return [];
  };
  return [
    ...checkMode(`${path}.defaultMode`, source["defaultMode"]),
    ...objectsAt(source, "sources").flatMap((one, index) =>
      checkProjection(path, `${path}.sources[${index}]`, one, claim),
    ),
  ];
}

function checkProjection(volume: string, path: string, source: JsonObject, claim: Claim): FieldError[] {
  const errors: FieldError[] = [];
  for (const kind of ["secret", "configMap"]) {
    const keyed = source[kind];
    if (isObject(keyed)) errors.push(...checkKeyed(`${path}.${kind}`, keyed, claim));
  }
  for (const file of objectsAt(source, "downwardAPI", "items")) {
    errors.push(...checkDownwardFile(`${path}.downwardAPI`, file));
    errors.push(...claim(stringAt(file, "path"), stringAt(file, "path")));
  }
  const token = source["serviceAccountToken"];
  if (isObject(token)) errors.push(...checkToken(volume, `${path}.serviceAccountToken`, token));
  const kinds = ["secret", "configMap", "downwardAPI", "serviceAccountToken"].filter((kind) => isObject(source[kind]));
  if (kinds.length > 1) errors.push(forbidden(path, "may not specify more than 1 volume type per source"));
  return errors;
}

function checkKeyed(path: string, source: JsonObject, claim: Claim): FieldError[] {
  const name = stringAt(source, "name");
  return [
    ...(name === "" ? [required(`${path}.name`)] : []),
    ...objectsAt(source, "items").flatMap((item, index) => [
      ...checkKeyToPath(`${path}.items[${index}]`, item),
      ...claim(stringAt(item, "path"), name),
    ]),
  ];
}

function checkToken(volume: string, path: string, token: JsonObject): FieldError[] {
  const [seconds, at] = [numberAt(token, "expirationSeconds") ?? 0, stringAt(token, "path")];
  const field = `${path}.expirationSeconds`;
  return [
    ...(seconds < 600 ? [invalid(field, seconds, "may not specify a duration less than 10 minutes")] : []),
    ...(seconds > 2 ** 32 ? [invalid(field, seconds, "may not specify a duration larger than 2^32 seconds")] : []),
    ...(at === "" ? [required(`${volume}.path`)] : localUnreservedPath(`${volume}.path`, at)),
  ];
}

const TEMPLATE_META = new Set(["annotations", "labels", "creationTimestamp"]);

function checkEphemeral(path: string, source: JsonObject): FieldError[] {
  const template = source["volumeClaimTemplate"];
  const at = `${path}.volumeClaimTemplate`;
  if (!isObject(template)) return [required(at)];
  const metadata = objectAt(template, "metadata");
  return [
    ...checkAnnotations(`${at}.metadata.annotations`, metadata["annotations"]),
    ...checkLabels(`${at}.metadata.labels`, metadata["labels"]),
    ...Object.keys(metadata).flatMap((field) =>
      TEMPLATE_META.has(field) ? [] : [forbidden(`${at}.metadata.${field}`, "cannot be set")],
    ),
    ...checkClaimSpec(`${at}.spec`, objectAt(template, "spec")),
  ];
}
