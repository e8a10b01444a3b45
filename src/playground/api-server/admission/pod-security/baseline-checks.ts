// The checks of the profile `baseline`: what is known to let a pod out of its box.
import type { JsonObject } from "../../contract.ts";
import { arrayAt, numberAt, objectAt, objectsAt, stringAt } from "../../json.ts";
import {
  allContainers,
  type CheckPod,
  containersThat,
  containerWords,
  type Finding,
  hasOwnUsers,
  plural,
  quoted,
  securityOf,
  setters,
  sortedOnce,
} from "./pod-check.ts";

const APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/";

export const appArmorProfile: CheckPod = ({ spec, annotations }) => {
  const typeOf = (owner: JsonObject) => objectAt(securityOf(owner), "appArmorProfile")["type"];
  const isBad = (owner: JsonObject) => {
    const type = typeOf(owner);
    return securityOf(owner)["appArmorProfile"] !== undefined && type !== "RuntimeDefault" && type !== "Localhost";
  };
  const containers = containersThat(spec, isBad);
  const types = [spec, ...allContainers(spec)].filter(isBad).map((owner) => String(typeOf(owner) ?? ""));
  const notes = Object.entries(annotations)
    .filter(([key, value]) => key.startsWith(APP_ARMOR) && !/^($|runtime\/default$|localhost\/)/.test(String(value)))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .sort();
  const who = [setters(isBad(spec), containers), notes.length > 0 ? plural("annotation", notes) : ""];
  const told = who.filter((one) => one !== "").join(" and ");
  if (told === "") return undefined;
  const values = [...sortedOnce(types), ...notes];
  return {
    reason: plural("forbidden AppArmor profile", values),
    detail: `${told} must not set AppArmor profile type to ${quoted(values)}`,
  };
};

const CAPABILITIES = [
  ...["AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP"],
  ...["SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"],
];

export const capabilitiesBaseline: CheckPod = ({ spec }) => {
  const extra = (container: JsonObject) =>
    arrayAt(securityOf(container), "capabilities", "add")
      .map(String)
      .filter((one) => !CAPABILITIES.includes(one));
  const bad = containersThat(spec, (container) => extra(container).length > 0);
  if (bad.length === 0) return undefined;
  const added = quoted(sortedOnce(allContainers(spec).flatMap(extra)));
  return {
    reason: "non-default capabilities",
    detail: `${containerWords(bad)} must not include ${added} in securityContext.capabilities.add`,
  };
};

export const hostNamespaces: CheckPod = ({ spec }) => {
  const shared = ["hostNetwork", "hostPID", "hostIPC"].filter((name) => spec[name] === true);
  if (shared.length === 0) return undefined;
  return { reason: "host namespaces", detail: shared.map((name) => `${name}=true`).join(", ") };
};

export const hostPathVolumes: CheckPod = ({ spec }) => {
  const bad = objectsAt(spec, "volumes")
    .filter((volume) => volume["hostPath"] !== undefined)
    .map((volume) => stringAt(volume, "name"));
  return bad.length === 0
    ? undefined
    : { reason: "hostPath volumes", detail: `${plural("volume", bad)} ${quoted(bad)}` };
};

export const hostPorts: CheckPod = ({ spec }) => {
  const taken = (container: JsonObject) =>
    objectsAt(container, "ports")
      .map((port) => numberAt(port, "hostPort") ?? 0)
      .filter((port) => port !== 0);
  const bad = containersThat(spec, (container) => taken(container).length > 0);
  if (bad.length === 0) return undefined;
  const ports = sortedOnce(allContainers(spec).flatMap(taken).map(String));
  const use = bad.length === 1 ? "uses" : "use";
  return {
    reason: "hostPort",
    detail: `${containerWords(bad)} ${use} ${plural("hostPort", ports)} ${ports.join(", ")}`,
  };
};

export const hostProbesAndLifecycle: CheckPod = ({ spec }) => {
  const hosts = (container: JsonObject) =>
    [
      ...["livenessProbe", "readinessProbe", "startupProbe"].map((name) => objectAt(container, name)),
      ...["postStart", "preStop"].map((name) => objectAt(container, "lifecycle", name)),
    ]
      .flatMap((handler) => [stringAt(handler, "httpGet", "host"), stringAt(handler, "tcpSocket", "host")])
      .filter((host) => host !== "");
  const bad = sortedOnce(containersThat(spec, (container) => hosts(container).length > 0));
  if (bad.length === 0) return undefined;
  const all = sortedOnce(allContainers(spec).flatMap(hosts));
  const use = bad.length === 1 ? "uses" : "use";
  const title = plural("probe or lifecycle host", all);
  return { reason: "probe or lifecycle host", detail: `${containerWords(bad)} ${use} ${title} ${quoted(all)}` };
};

export const privileged: CheckPod = ({ spec }) => {
  const bad = containersThat(spec, (container) => securityOf(container)["privileged"] === true);
  if (bad.length === 0) return undefined;
  return { reason: "privileged", detail: `${containerWords(bad)} must not set securityContext.privileged=true` };
};

export const procMount: CheckPod = ({ spec }) => {
  const mountOf = (container: JsonObject) => stringAt(securityOf(container), "procMount");
  const isBad = (container: JsonObject) => !["", "Default"].includes(mountOf(container));
  const bad = containersThat(spec, isBad);
  if (bad.length === 0) return undefined;
  const mounts = quoted(sortedOnce(allContainers(spec).filter(isBad).map(mountOf)));
  return { reason: "procMount", detail: `${containerWords(bad)} must not set securityContext.procMount to ${mounts}` };
};

export const procMountUnlessOwnUsers: CheckPod = (pod) => (hasOwnUsers(pod.spec) ? undefined : procMount(pod));

const SELINUX_TYPES = ["", "container_t", "container_init_t", "container_kvm_t"];

export const seLinuxOptions: CheckPod = (pod) => seLinux(pod.spec, SELINUX_TYPES);
export const seLinuxOptionsWithEngine: CheckPod = (pod) => seLinux(pod.spec, [...SELINUX_TYPES, "container_engine_t"]);

function seLinux(spec: JsonObject, types: readonly string[]): Finding | undefined {
  const optionsOf = (owner: JsonObject) => objectAt(securityOf(owner), "seLinuxOptions");
  const isBad = (owner: JsonObject) => {
    const options = optionsOf(owner);
    return (
      !types.includes(stringAt(options, "type")) || stringAt(options, "user") !== "" || stringAt(options, "role") !== ""
    );
  };
  const containers = containersThat(spec, isBad);
  const all = [spec, ...allContainers(spec)].map(optionsOf);
  const badTypes = sortedOnce(all.map((one) => stringAt(one, "type")).filter((type) => !types.includes(type)));
  const told = [
    ...(badTypes.length > 0 ? [`${plural("type", badTypes)} ${quoted(badTypes)}`] : []),
    ...["user", "role"].flatMap((name) =>
      all.some((one) => stringAt(one, name) !== "") ? [`${name} may not be set`] : [],
    ),
  ];
  if (told.length === 0) return undefined;
  const who = setters(isBad(spec), containers);
  return {
    reason: "seLinuxOptions",
    detail: `${who} set forbidden securityContext.seLinuxOptions: ${told.join("; ")}`,
  };
}

const SECCOMP = "seccomp.security.alpha.kubernetes.io/";

/** Policies before 1.19 look at annotations. */
export const seccompAnnotations: CheckPod = ({ spec, annotations }) => {
  const keys = [`${SECCOMP}pod`, ...containersThat(spec, () => true).map((name) => `container.${SECCOMP}${name}`)];
  const bad = sortedOnce(
    keys
      .filter((key) => annotations[key] !== undefined)
      .filter((key) => !/^(runtime\/default$|docker\/default$|localhost\/)/.test(String(annotations[key])))
      .map((key) => `${key}=${JSON.stringify(annotations[key])}`),
  );
  if (bad.length === 0) return undefined;
  return { reason: "seccompProfile", detail: `forbidden ${plural("annotation", bad)} ${bad.join(", ")}` };
};

export const seccompProfile: CheckPod = ({ spec }) => badSeccomp(spec);

export const seccompOf = (owner: JsonObject): JsonObject | undefined => {
  const profile = securityOf(owner)["seccompProfile"];
  return profile === undefined ? undefined : objectAt(securityOf(owner), "seccompProfile");
};

export function badSeccomp(spec: JsonObject): Finding | undefined {
  const isBad = (owner: JsonObject) => {
    const profile = seccompOf(owner);
    return profile !== undefined && !["RuntimeDefault", "Localhost"].includes(stringAt(profile, "type"));
  };
  const who = setters(isBad(spec), containersThat(spec, isBad));
  if (who === "") return undefined;
  const types = [spec, ...allContainers(spec)].filter(isBad).map((owner) => stringAt(seccompOf(owner), "type"));
  return {
    reason: "seccompProfile",
    detail: `${who} must not set securityContext.seccompProfile.type to ${quoted(sortedOnce(types))}`,
  };
}

const SYSCTLS = [
  "kernel.shm_rmid_forced",
  ...["ip_local_port_range", "tcp_syncookies", "ping_group_range", "ip_unprivileged_port_start"].map(
    (name) => `net.ipv4.${name}`,
  ),
];
const SYSCTLS_27 = [...SYSCTLS, "net.ipv4.ip_local_reserved_ports"];
const SYSCTLS_29 = [
  ...SYSCTLS_27,
  ...["tcp_keepalive_time", "tcp_fin_timeout", "tcp_keepalive_intvl", "tcp_keepalive_probes"].map(
    (name) => `net.ipv4.${name}`,
  ),
];
const SYSCTLS_32 = [...SYSCTLS_29, "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"];

const sysctlsIn =
  (allowed: readonly string[]): CheckPod =>
  ({ spec }) => {
    const names = objectsAt(securityOf(spec), "sysctls").map((one) => stringAt(one, "name"));
    const bad = names.filter((name) => !allowed.includes(name));
    return bad.length === 0 ? undefined : { reason: "forbidden sysctls", detail: bad.join(", ") };
  };

export const sysctls = sysctlsIn(SYSCTLS);
export const sysctls27 = sysctlsIn(SYSCTLS_27);
export const sysctls29 = sysctlsIn(SYSCTLS_29);
export const sysctls32 = sysctlsIn(SYSCTLS_32);

export const windowsHostProcess: CheckPod = ({ spec }) => {
  const isBad = (owner: JsonObject) => objectAt(securityOf(owner), "windowsOptions")["hostProcess"] === true;
  const who = setters(isBad(spec), containersThat(spec, isBad));
  if (who === "") return undefined;
  return { reason: "hostProcess", detail: `${who} must not set securityContext.windowsOptions.hostProcess=true` };
};
