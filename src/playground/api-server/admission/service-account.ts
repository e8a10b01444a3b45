// Gives every pod an identity: the service account's name, its pull secrets, and the volume with token, CA and
// namespace that in-cluster clients look for.
import { randomInt } from "node:crypto";
import { forbidden } from "../api-errors.ts";
import type { AdmissionPlugin, JsonObject, ObjectAccess } from "../contract.ts";
import { objectAt, objectsAt, stringAt } from "../json.ts";

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
    async admit({ group, resource, subresource, operation, object, namespace, name }) {
      const isNewPod = group === "" && resource === "pods" && subresource === "" && operation === "CREATE";
      if (!isNewPod || object === undefined) return object;
      if (MIRROR_ANNOTATION in objectAt(object, "metadata", "annotations")) return object;
      const accountName = stringAt(object, "spec", "serviceAccountName") || "default";
      const account = objects.get("", "serviceaccounts", namespace, accountName);
      if (account === undefined) {
        const why = `error looking up service account ${namespace}/${accountName}: serviceaccount ${JSON.stringify(accountName)} not found`;
        throw forbidden({ group: "", plural: "pods" }, stringAt(object, "metadata", "generateName") || name, why);
      }
      return { ...object, spec: withAccount(objectAt(object, "spec"), accountName, account) };
    },
  };
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
