// Gives every pod an identity: the service account's name, its pull secrets, and the volume with token, CA and
// namespace that in-cluster clients look for.
import { randomInt } from "node:crypto";
import type { AdmissionAttributes, AdmissionPlugin, JsonObject, ObjectAccess } from "../contract.ts";
import { objectAt, objectsAt, stringAt } from "../json.ts";
import { pathSegment } from "../validation/formats.ts";
import { mirrorFault, secretFault } from "./mountable-secrets.ts";
import { refuse } from "./refuse.ts";

const MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount";
const VOLUME_PREFIX = "kube-api-access-";
const MIRROR_ANNOTATION = "kubernetes.io/config.mirror";
/** An hour and seven seconds: how Kubernetes tells injected tokens from those that somebody asked for. */
const TOKEN_SECONDS = 3607;
/** The letters of generated names: no vowels, so that no words appear. */
const LETTERS = "bcdfghjklmnpqrstvwxz2456789";

export function serviceAccountAdmission(objects: ObjectAccess): AdmissionPlugin {
  return {
    name: "ServiceAccount",
    async admit(attributes) {
      const { group, resource, subresource, operation, object } = attributes;
      if (group !== "" || resource !== "pods" || object === undefined) return object;
      if (subresource === "" && operation === "CREATE") return withIdentity(objects, attributes, object);
      if (subresource === "ephemeralcontainers" && operation === "UPDATE") {
        const spec = objectAt(object, "spec");
        const fault = secretFault(accountNamed(objects, attributes, stringAt(spec, "serviceAccountName")), spec, true);
        if (fault !== undefined) throw refuse(attributes, fault);
      }
      return object;
    },
  };
}

function withIdentity(objects: ObjectAccess, attributes: AdmissionAttributes, pod: JsonObject): JsonObject {
  const spec = objectAt(pod, "spec");
  if (MIRROR_ANNOTATION in objectAt(pod, "metadata", "annotations")) {
    const fault = mirrorFault(spec);
    if (fault !== undefined) throw refuse(attributes, fault);
    return pod;
  }
  const name = stringAt(spec, "serviceAccountName") || "default";
  const account = accountNamed(objects, attributes, name);
  const completed = withAccount(spec, name, account);
  const fault = secretFault(account, completed);
  if (fault !== undefined) throw refuse(attributes, fault);
  return { ...pod, spec: completed };
}

function accountNamed(objects: ObjectAccess, attributes: AdmissionAttributes, name: string): JsonObject {
  const { namespace } = attributes;
  const account = objects.get("", "serviceaccounts", namespace, name);
  if (account !== undefined) return account;
  const wrong = pathSegment(name);
  const fault =
    wrong.length > 0
      ? `invalid resource name ${JSON.stringify(name)}: [${wrong.join(" ")}]`
      : `serviceaccount ${JSON.stringify(name)} not found`;
  const why = `error looking up service account ${namespace}/${name}: ${fault}`;
  throw refuse(attributes, why);
}

function withAccount(spec: JsonObject, name: string, account: JsonObject): JsonObject {
  const pullSecrets = objectsAt(account, "imagePullSecrets");
  const named: JsonObject = {
    ...spec,
    serviceAccountName: name,
    serviceAccount: name,
    ...(objectsAt(spec, "imagePullSecrets").length === 0 && pullSecrets.length > 0
      ? { imagePullSecrets: pullSecrets }
      : {}),
  };
  const automount = spec["automountServiceAccountToken"] ?? account["automountServiceAccountToken"] ?? true;
  return automount === false ? named : withTokenVolume(named);
}

function withTokenVolume(spec: JsonObject): JsonObject {
  const lists = ["initContainers", "containers"].map((key) => [key, objectsAt(spec, key)] as const);
  const lacks = (container: JsonObject) =>
    !objectsAt(container, "volumeMounts").some((mount) => mount["mountPath"] === MOUNT_PATH);
  if (!lists.some(([, containers]) => containers.some(lacks))) return spec;
  const volumes = objectsAt(spec, "volumes");
  const present = volumes.find((volume) => stringAt(volume, "name").startsWith(VOLUME_PREFIX));
  const volumeName = present === undefined ? `${VOLUME_PREFIX}${randomLetters(5)}` : stringAt(present, "name");
  const mounted = (container: JsonObject): JsonObject => {
    const mount = { name: volumeName, readOnly: true, mountPath: MOUNT_PATH };
    return lacks(container)
      ? { ...container, volumeMounts: [...objectsAt(container, "volumeMounts"), mount] }
      : container;
  };
  return {
    ...spec,
    ...Object.fromEntries(
      lists.flatMap(([key, containers]) => (containers.length > 0 ? [[key, containers.map(mounted)]] : [])),
    ),
    volumes: present === undefined ? [...volumes, tokenVolume(volumeName)] : volumes,
  };
}

function tokenVolume(name: string): JsonObject {
  return {
    name,
    projected: {
      defaultMode: 0o644,
      sources: [
        { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: "token" } },
        { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
        {
          downwardAPI: {
            items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }],
          },
        },
      ],
    },
  };
}

function randomLetters(count: number): string {
  return Array.from({ length: count }, () => LETTERS[randomInt(LETTERS.length)]).join("");
}
