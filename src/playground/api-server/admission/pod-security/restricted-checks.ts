// The checks of the profile `restricted`, beyond those of `baseline`: what a hardened pod says of itself.
import type { JsonObject } from "../../contract.ts";
import { arrayAt, objectsAt, stringAt } from "../../json.ts";
import { badSeccomp, seccompOf } from "./baseline-checks.ts";
import {
  allContainers,
  type CheckPod,
  containersThat,
  containerWords,
  hasOwnUsers,
  isWindows,
  plural,
  quoted,
  securityOf,
  setters,
  sortedOnce,
} from "./pod-check.ts";

/** Windows has no such thing to say. */
const notOnWindows =
  (check: CheckPod): CheckPod =>
  (pod) =>
    isWindows(pod.spec) ? undefined : check(pod);

const unlessOwnUsers =
  (check: CheckPod): CheckPod =>
  (pod) =>
    hasOwnUsers(pod.spec) ? undefined : check(pod);

export const allowPrivilegeEscalation: CheckPod = ({ spec }) => {
  const bad = containersThat(spec, (container) => securityOf(container)["allowPrivilegeEscalation"] !== false);
  if (bad.length === 0) return undefined;
  return {
    reason: "allowPrivilegeEscalation != false",
    detail: `${containerWords(bad)} must set securityContext.allowPrivilegeEscalation=false`,
  };
};

export const allowPrivilegeEscalation25 = notOnWindows(allowPrivilegeEscalation);

export const capabilitiesRestricted: CheckPod = ({ spec }) => {
  const extra = (container: JsonObject) =>
    arrayAt(securityOf(container), "capabilities", "add")
      .map(String)
      .filter((one) => one !== "NET_BIND_SERVICE");
  const undropped = containersThat(
    spec,
    (container) => !arrayAt(securityOf(container), "capabilities", "drop").includes("ALL"),
  );
  const adding = containersThat(spec, (container) => extra(container).length > 0);
  const details = [
    ...(undropped.length > 0
      ? [`${containerWords(undropped)} must set securityContext.capabilities.drop=["ALL"]`]
      : []),
    ...(adding.length > 0
      ? [
          `${containerWords(adding)} must not include ${quoted(sortedOnce(allContainers(spec).flatMap(extra)))} in securityContext.capabilities.add`,
        ]
      : []),
  ];
  return details.length === 0 ? undefined : { reason: "unrestricted capabilities", detail: details.join("; ") };
};

export const capabilitiesRestricted25 = notOnWindows(capabilitiesRestricted);

const VOLUMES = [
  ...["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected"],
  "secret",
];

export const restrictedVolumes: CheckPod = ({ spec }) => {
  const isBad = (volume: JsonObject) => !VOLUMES.some((type) => volume[type] !== undefined);
  const bad = objectsAt(spec, "volumes").filter(isBad);
  if (bad.length === 0) return undefined;
  const names = bad.map((volume) => stringAt(volume, "name"));
  const types = sortedOnce(bad.map((volume) => Object.keys(volume).find((key) => key !== "name") ?? "unknown"));
  const use = names.length === 1 ? "uses" : "use";
  return {
    reason: "restricted volume types",
    detail: `${plural("volume", names)} ${quoted(names)} ${use} ${plural("restricted volume type", types)} ${quoted(types)}`,
  };
};

export const runAsNonRoot: CheckPod = ({ spec }) => {
  const said = (owner: JsonObject) => securityOf(owner)["runAsNonRoot"];
  const who = setters(
    said(spec) === false,
    containersThat(spec, (container) => said(container) === false),
  );
  const reason = "runAsNonRoot != true";
  if (who !== "") return { reason, detail: `${who} must not set securityContext.runAsNonRoot=false` };
  const silent = said(spec) === true ? [] : containersThat(spec, (container) => said(container) === undefined);
  if (silent.length === 0) return undefined;
  return { reason, detail: `pod or ${containerWords(silent)} must set securityContext.runAsNonRoot=true` };
};

export const runAsNonRoot35 = unlessOwnUsers(runAsNonRoot);

export const runAsUser: CheckPod = ({ spec }) => {
  const isRoot = (owner: JsonObject) => securityOf(owner)["runAsUser"] === 0;
  const who = setters(isRoot(spec), containersThat(spec, isRoot));
  return who === "" ? undefined : { reason: "runAsUser=0", detail: `${who} must not set runAsUser=0` };
};

export const runAsUser35 = unlessOwnUsers(runAsUser);

export const seccompRestricted: CheckPod = ({ spec }) => {
  const bad = badSeccomp(spec);
  if (bad !== undefined || seccompOf(spec) !== undefined) return bad;
  const silent = containersThat(spec, (container) => seccompOf(container) === undefined);
  if (silent.length === 0) return undefined;
  return {
    reason: "seccompProfile",
    detail: `pod or ${containerWords(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
  };
};

export const seccompRestricted25 = notOnWindows(seccompRestricted);
