// What each source of a volume must hold. One row a source; PersistentVolumes share most of them.
import type { FieldError } from "../../api-errors.ts";
import type { JsonObject, JsonValue } from "../../contract.ts";
import { arrayAt, isObject, numberAt, objectAt, objectsAt, stringAt } from "../../json.ts";
import { invalid, invalids, notSupported, required, tooLong } from "../field-errors.ts";
import { bytes, dnsLabel, dnsSubdomain, inclusiveRange } from "../formats.ts";
import { localPath, localUnreservedPath, noBacksteps } from "../paths.ts";

export type SourceCheck = (path: string, source: JsonObject) => FieldError[];

/** Fields that must not be empty. */
const needs =
  (...fields: readonly string[]): SourceCheck =>
  (path, source) =>
    fields.flatMap((field) => (isEmpty(source[field]) ? [required(`${path}.${field}`)] : []));

const isEmpty = (value: JsonValue | undefined) =>
  value === undefined || value === "" || (Array.isArray(value) && value.length === 0);

export function checkMode(field: string, mode: JsonValue | undefined): FieldError[] {
  if (typeof mode !== "number" || (mode >= 0 && mode <= 0o777)) return [];
  return [invalid(field, mode, "must be a number between 0 and 0777 (octal), both inclusive")];
}

export function checkKeyToPath(path: string, item: JsonObject): FieldError[] {
  return [
    ...needs("key", "path")(path, item),
    ...localUnreservedPath(`${path}.path`, stringAt(item, "path")),
    ...checkMode(`${path}.mode`, item["mode"]),
  ];
}

const keyed =
  (name: string): SourceCheck =>
  (path, source) => [
    ...needs(name)(path, source),
    ...checkMode(`${path}.defaultMode`, source["defaultMode"]),
    ...objectsAt(source, "items").flatMap((item, index) => checkKeyToPath(`${path}.items[${index}]`, item)),
  ];

const HOST_PATH_TYPES = [
  "",
  "BlockDevice",
  "CharDevice",
  "Directory",
  "DirectoryOrCreate",
  "File",
  "FileOrCreate",
  "Socket",
];

export const checkHostPath: SourceCheck = (path, source) => {
  const [at, type] = [stringAt(source, "path"), stringAt(source, "type")];
  if (at === "") return [required(`${path}.path`)];
  const errors = noBacksteps(`${path}.path`, at);
  return HOST_PATH_TYPES.includes(type) ? errors : [...errors, notSupported(`${path}.type`, type, HOST_PATH_TYPES)];
};

const disk =
  (name: string): SourceCheck =>
  (path, source) => {
    const partition = numberAt(source, "partition") ?? 0;
    const bad = partition < 0 || partition > 255;
    return [
      ...needs(name)(path, source),
      ...(bad ? [invalid(`${path}.partition`, partition, inclusiveRange(1, 255))] : []),
    ];
  };

export const checkNfs: SourceCheck = (path, source) => [
  ...needs("server", "path")(path, source),
  ...(stringAt(source, "path").startsWith("/")
    ? []
    : [invalid(`${path}.path`, stringAt(source, "path"), "must be an absolute path")]),
];

const INITIATORS: Readonly<Record<string, RegExp>> = {
  iqn: /iqn\.\d{4}-\d{2}\.([a-zA-Z0-9.-]+)(:[^,;*&$|\s]+)$/,
  eui: /^eui.[a-fA-F0-9]{16}$/,
  naa: /^naa.[a-fA-F0-9]{32}$/,
};

function checkInitiator(field: string, name: string, first: string): FieldError[] {
  const pattern = INITIATORS[name.slice(0, 3)];
  if (pattern === undefined) return [invalid(field, name, first)];
  return pattern.test(name) ? [] : [invalid(field, name, "must be valid format")];
}

const iscsi =
  (first: string): SourceCheck =>
  (path, source) => {
    const [iqn, lun] = [stringAt(source, "iqn"), numberAt(source, "lun") ?? 0];
    const chap = source["chapAuthDiscovery"] === true || source["chapAuthSession"] === true;
    const initiator = source["initiatorName"];
    return [
      ...needs("targetPortal", "iqn")(path, source),
      ...(iqn === "" ? [] : checkInitiator(`${path}.iqn`, iqn, first)),
      ...(lun < 0 || lun > 255 ? [invalid(`${path}.lun`, lun, inclusiveRange(0, 255))] : []),
      ...(chap && !isObject(source["secretRef"]) ? [required(`${path}.secretRef`)] : []),
      ...(typeof initiator === "string" ? checkInitiator(`${path}.initiatorname`, initiator, first) : []),
    ];
  };

const fc: SourceCheck = (path, source) => {
  const [names, ids] = [arrayAt(source, "targetWWNs"), arrayAt(source, "wwids")];
  const lun = source["lun"];
  const errors: FieldError[] = [];
  const field = `${path}.targetWWNs`;
  if (names.length + ids.length === 0)
    errors.push(required(field, "must specify either targetWWNs or wwids, but not both"));
  if (names.length > 0 && ids.length > 0)
    errors.push(invalid(field, names, "targetWWNs and wwids can not be specified simultaneously"));
  if (names.length === 0) return errors;
  if (typeof lun !== "number") errors.push(required(`${path}.lun`, "lun is required if targetWWNs is specified"));
  else if (lun < 0 || lun > 255) errors.push(invalid(`${path}.lun`, lun, inclusiveRange(0, 255)));
  return errors;
};

const flocker: SourceCheck = (path, source) => {
  const [name, uuid] = [stringAt(source, "datasetName"), stringAt(source, "datasetUUID")];
  const errors: FieldError[] = [];
  if (name === "" && uuid === "") errors.push(required(path, "one of datasetName and datasetUUID is required"));
  if (name !== "" && uuid !== "")
    errors.push(invalid(path, "resource", "datasetName and datasetUUID can not be specified simultaneously"));
  if (name.includes("/")) errors.push(invalid(`${path}.datasetName`, name, "must not contain '/'"));
  return errors;
};

const flexVolume: SourceCheck = (path, source) => [
  ...needs("driver")(path, source),
  ...Object.keys(objectAt(source, "options")).flatMap((key) => {
    const domain = `.${(key.split("/")[0] ?? "").toLowerCase()}`;
    const taken = domain.endsWith(".kubernetes.io") || domain.endsWith(".k8s.io");
    const field = `${path}.options[${key}]`;
    return taken ? [invalid(field, key, "kubernetes.io and k8s.io namespaces are reserved")] : [];
  }),
];

const storageOs: SourceCheck = (path, source) => [
  ...needs("volumeName")(path, source),
  ...["volumeName", "volumeNamespace"].flatMap((field) => {
    const value = stringAt(source, field);
    return value === "" ? [] : invalids(`${path}.${field}`, value, dnsLabel(value));
  }),
  ...(isObject(source["secretRef"]) ? needs("name")(`${path}.secretRef`, source["secretRef"]) : []),
];

export function checkDriverName(field: string, name: string): FieldError[] {
  if (name === "") return [required(field)];
  const errors = bytes(name) > 63 ? [tooLong(field, 63)] : [];
  return [...errors, ...invalids(field, name, dnsSubdomain(name.toLowerCase()))];
}

const csi: SourceCheck = (path, source) => {
  const reference = source["nodePublishSecretRef"];
  const name = stringAt(reference, "name");
  const errors = checkDriverName(`${path}.driver`, stringAt(source, "driver"));
  if (!isObject(reference)) return errors;
  if (name === "") errors.push(required(`${path}.nodePublishSecretRef.name`));
  else errors.push(...invalids(`${path}.name`, name, dnsSubdomain(name)));
  return errors;
};

const PAIRS = "must be a host:port pair or multiple pairs separated by commas";

const quobyte: SourceCheck = (path, source) => {
  const registry = stringAt(source, "registry");
  const volume = needs("volume")(path, source);
  if (registry === "") return [required(`${path}.registry`, PAIRS), ...volume];
  const why = "must be a UUID and may not exceed a length of 64 characters";
  if (bytes(stringAt(source, "tenant")) >= 65) return [required(`${path}.tenant`, why), ...volume];
  const bad = registry.split(",").filter((pair) => !isHostPort(pair));
  return [...bad.map(() => invalid(`${path}.registry`, registry, PAIRS)), ...volume];
};

/** Both may be empty; an IPv6 address stands in brackets. */
const isHostPort = (text: string) => /^(\[[^[\]]*\]|[^[\]:]*):[^[\]:]*$/.test(text);

const CACHING = ["None", "ReadOnly", "ReadWrite"];
const DISK_KINDS = ["Dedicated", "Managed", "Shared"];
const MANAGED_URI = "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}";
const BLOB_URI = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd";

const azureDisk: SourceCheck = (path, source) => {
  const [caching, kind, uri] = [source["cachingMode"], source["kind"], stringAt(source, "diskURI")];
  const errors = needs("diskName", "diskURI")(path, source);
  if (caching !== undefined && !CACHING.includes(String(caching)))
    errors.push(notSupported(`${path}.cachingMode`, caching, CACHING));
  if (kind === undefined) return errors;
  if (!DISK_KINDS.includes(String(kind))) errors.push(notSupported(`${path}.kind`, kind, DISK_KINDS));
  const [start, form] = kind === "Managed" ? ["/subscriptions/", MANAGED_URI] : ["https://", BLOB_URI];
  return uri.startsWith(start) ? errors : [...errors, notSupported(`${path}.diskURI`, uri, [form])];
};

const cinder: SourceCheck = (path, source) => [
  ...needs("volumeID")(path, source),
  ...(isObject(source["secretRef"]) ? needs("name")(`${path}.secretRef`, source["secretRef"]) : []),
];

const emptyDir: SourceCheck = () => [];

/** In the order in which Kubernetes looks at them. */
export const VOLUME_SOURCES: Readonly<Record<string, SourceCheck>> = {
  emptyDir,
  hostPath: checkHostPath,
  gitRepo: (path, source) => [
    ...needs("repository")(path, source),
    ...localPath(`${path}.directory`, stringAt(source, "directory")),
  ],
  gcePersistentDisk: disk("pdName"),
  awsElasticBlockStore: disk("volumeID"),
  secret: keyed("secretName"),
  nfs: checkNfs,
  iscsi: iscsi("must be valid format starting with iqn, eui, or naa"),
  glusterfs: needs("endpoints", "path"),
  flocker,
  persistentVolumeClaim: needs("claimName"),
  rbd: needs("monitors", "image"),
  cinder,
  cephfs: needs("monitors"),
  quobyte,
  fc,
  flexVolume,
  configMap: keyed("name"),
  azureFile: needs("secretName", "shareName"),
  vsphereVolume: needs("volumePath"),
  photonPersistentDisk: needs("pdID"),
  portworxVolume: needs("volumeID"),
  azureDisk,
  storageos: storageOs,
  scaleIO: needs("gateway", "system", "volumeName"),
  csi,
};

/** What differs when a PersistentVolume holds the source. */
export const PERSISTENT_ISCSI = iscsi("must be valid format");
