// What only pods of Windows may say, and what they may not.
import type { FieldError } from "../../api-errors.ts";
import type { JsonObject, JsonValue } from "../../contract.ts";
import { arrayAt, isObject, objectAt, objectsAt, stringAt, valueAt } from "../../json.ts";
import { forbidden, invalid, invalids } from "../field-errors.ts";
import { bytes, dnsSubdomain } from "../formats.ts";

const MOST_SPEC_KIB = 64;

/** Of a pod's security context, or a container's. */
export function checkWindowsOptions(path: string, options: JsonValue | undefined): FieldError[] {
  if (!isObject(options)) return [];
  const { gmsaCredentialSpecName: name, gmsaCredentialSpec: spec, runAsUserName: user } = options;
  const errors: FieldError[] = [];
  if (typeof name === "string") errors.push(...invalids(`${path}.gmsaCredentialSpecName`, name, dnsSubdomain(name)));
  if (spec === "")
    errors.push(invalid(`${path}.gmsaCredentialSpec`, spec, "gmsaCredentialSpec cannot be an empty string"));
  if (typeof spec === "string" && bytes(spec) > MOST_SPEC_KIB * 1024) {
    const why = `gmsaCredentialSpec size must be under ${MOST_SPEC_KIB} KiB`;
    errors.push(invalid(`${path}.gmsaCredentialSpec`, spec, why));
  }
  if (typeof user !== "string") return errors;
  return [
    ...errors,
    ...invalids(
      `${path}.runAsUserName`,
      user,
      userFaults(user).map((fault) => `runAsUserName${fault}`),
    ),
  ];
}

const MOST_DOMAIN = 256;
const MOST_USER = 104;
/** Of ASCII alone: Go's class `cntrl`. */
const isControl = (character: string) => character < " " || character === "\u007f";
const NET_BIOS = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/;
const DOMAIN_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?";
const DOMAIN = new RegExp(`^${DOMAIN_LABEL}(?:\\.${DOMAIN_LABEL})*$`);
const BARRED = /["/\\:;|=,+*?<>@[\]]/;

/** What is wrong with `DOMAIN\USER`, or `USER`. */
function userFaults(name: string): string[] {
  if (name === "") return [" cannot be an empty string"];
  if ([...name].some(isControl)) return [" cannot contain control characters"];
  const parts = name.split("\\");
  if (parts.length > 2) return [" cannot contain more than one backslash"];
  const [user = "", domain] = parts.reverse();
  const faults: string[] = [];
  if (domain !== undefined && bytes(domain) >= MOST_DOMAIN)
    faults.push(`'s Domain length must be under ${MOST_DOMAIN} characters`);
  if (domain !== undefined && !NET_BIOS.test(domain) && !DOMAIN.test(domain))
    faults.push("'s Domain doesn't match the NetBios nor the DNS format");
  if (user === "") faults.push("'s User cannot be empty");
  else if (bytes(user) > MOST_USER) faults.push(`'s User length must not be longer than ${MOST_USER} characters`);
  if (/^[. ]+$/.test(user)) faults.push("'s User cannot contain only periods or spaces");
  if (BARRED.test(user)) faults.push(`'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]`);
  return faults;
}

interface Placed {
  readonly path: string;
  readonly container: JsonObject;
}

/** All containers of a pod, in the order in which Kubernetes visits them. */
export function visitContainers(path: string, spec: JsonObject): Placed[] {
  return ["initContainers", "containers", "ephemeralContainers"].flatMap((list) =>
    objectsAt(spec, list).map((container, index) => ({ path: `${path}.${list}[${index}]`, container })),
  );
}

const HOST_PROCESS = ["securityContext", "windowsOptions", "hostProcess"];

/** Processes of the host are all of a pod's, or none. */
export function checkHostProcess(path: string, spec: JsonObject): FieldError[] {
  const ofPod = valueAt(spec, ...HOST_PROCESS);
  const containers = visitContainers(path, spec);
  const ofContainers = containers.map(({ container }) => valueAt(container, ...HOST_PROCESS));
  const errors = containers.flatMap(({ path: at }, index): FieldError[] => {
    const own = ofContainers[index];
    if (typeof ofPod !== "boolean" || typeof own !== "boolean" || own === ofPod) return [];
    const why = `pod hostProcess value must be identical if both are specified, was ${ofPod}`;
    return [invalid([at, ...HOST_PROCESS].join("."), own, why)];
  });
  const count = ofContainers.filter((own) => (own ?? ofPod) === true).length;
  if (count === 0) return errors;
  if (count < containers.length) {
    const why = "If pod contains any hostProcess containers then all containers must be HostProcess containers";
    errors.push(invalid(path, "", why));
  }
  if (spec["hostNetwork"] !== true) {
    const why = "hostNetwork must be true if pod contains any hostProcess containers";
    errors.push(invalid(`${path}.hostNetwork`, false, why));
  }
  return errors;
}

/** In Kubernetes' order; those of the spec stand beside its security context. */
const POD_FIELDS = [
  ...["securityContext.appArmorProfile", "securityContext.seLinuxOptions", "hostUsers", "hostPID", "hostIPC"],
  ...["seccompProfile", "fsGroup", "fsGroupChangePolicy", "sysctls"].map((field) => `securityContext.${field}`),
  "shareProcessNamespace",
  ...["runAsUser", "runAsGroup", "supplementalGroups", "supplementalGroupsPolicy", "seLinuxChangePolicy"].map(
    (field) => `securityContext.${field}`,
  ),
];
const CONTAINER_FIELDS = [
  ...["appArmorProfile", "seLinuxOptions", "seccompProfile", "capabilities", "readOnlyRootFilesystem", "privileged"],
  ...["allowPrivilegeEscalation", "procMount", "runAsUser", "runAsGroup"],
];
const NOT_HERE = "cannot be set for a windows pod";
/** Of these false and nothing are the same. */
const FLAGS = new Set(["hostPID", "hostIPC"]);

export function checkWindowsPod(path: string, spec: JsonObject): FieldError[] {
  const isSet = (field: string) => {
    if (field.endsWith("sysctls")) return arrayAt(spec, "securityContext", "sysctls").length > 0;
    const value = valueAt(spec, ...field.split("."));
    return FLAGS.has(field) ? value === true : value !== undefined;
  };
  return [
    ...POD_FIELDS.filter(isSet).map((field) => forbidden(`${path}.${field}`, NOT_HERE)),
    ...visitContainers(path, spec).flatMap(({ path: at, container }) =>
      CONTAINER_FIELDS.filter((field) => objectAt(container, "securityContext")[field] !== undefined).map((field) =>
        forbidden(`${at}.securityContext.${field}`, NOT_HERE),
      ),
    ),
  ];
}

export function checkLinuxPod(path: string, spec: JsonObject): FieldError[] {
  const holders = [{ path, container: spec }, ...visitContainers(path, spec)];
  return holders.flatMap(({ path: at, container }) =>
    isObject(valueAt(container, "securityContext", "windowsOptions"))
      ? [forbidden(`${at}.securityContext.windowsOptions`, "windows options cannot be set for a linux pod")]
      : [],
  );
}

export const isWindows = (spec: JsonObject) => stringAt(spec, "os", "name") === "windows";
