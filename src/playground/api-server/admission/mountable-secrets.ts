// What pods may refer to: mirror pods nothing of the API, pods of an account that limits its secrets only those.
import type { JsonObject } from "../contract.ts";
import { isObject, objectAt, objectsAt, stringAt } from "../json.ts";

const ENFORCED = "kubernetes.io/enforce-mountable-secrets";

/** Why a mirror pod is refused, or undefined. */
export function mirrorFault(spec: JsonObject): string | undefined {
  if (stringAt(spec, "serviceAccountName") !== "") return "a mirror pod may not reference service accounts";
  if (refersToSecret(spec)) return "a mirror pod may not reference secrets";
  const projections = objectsAt(spec, "volumes").flatMap((volume) => objectsAt(volume, "projected", "sources"));
  if (projections.some((source) => source["serviceAccountToken"] !== undefined)) {
    return "a mirror pod may not use ServiceAccountToken volume projections";
  }
  return undefined;
}

function refersToSecret(spec: JsonObject): boolean {
  const volumes = objectsAt(spec, "volumes");
  return (
    objectsAt(spec, "imagePullSecrets").length > 0 ||
    LISTS.some(([list]) => objectsAt(spec, list).some((container) => references(container).length > 0)) ||
    volumes.some(
      (volume) =>
        isObject(volume["secret"]) || objectsAt(volume, "projected", "sources").some((one) => isObject(one["secret"])),
    )
  );
}

const LISTS = [
  ["initContainers", "init container"],
  ["containers", "container"],
  ["ephemeralContainers", "ephemeral container"],
] as const;

interface Reference {
  readonly secret: string;
  /** `envVar NAME`, `envFrom`. */
  readonly by: string;
}

function references(container: JsonObject): Reference[] {
  return [
    ...objectsAt(container, "env").flatMap((variable) => {
      const ref = objectAt(variable, "valueFrom")["secretKeyRef"];
      return isObject(ref) ? [{ secret: stringAt(ref, "name"), by: `envVar ${stringAt(variable, "name")}` }] : [];
    }),
    ...objectsAt(container, "envFrom").flatMap((source) => {
      const ref = source["secretRef"];
      return isObject(ref) ? [{ secret: stringAt(ref, "name"), by: "envFrom" }] : [];
    }),
  ];
}

/** Why the account's list of secrets forbids the pod, or undefined. Of an existing pod only new containers matter. */
export function secretFault(account: JsonObject, spec: JsonObject, onlyEphemeral = false): string | undefined {
  if (stringAt(account, "metadata", "annotations", ENFORCED) !== "true") return undefined;
  const name = stringAt(account, "metadata", "name");
  const allowed = objectsAt(account, "secrets").map((secret) => secret["name"]);
  const blame = `is not allowed because service account ${name} does not reference that`;
  const lists = LISTS.filter(([list]) => (list === "ephemeralContainers") === onlyEphemeral);
  const faults = lists.flatMap(([list, title]) =>
    objectsAt(spec, list).flatMap((container) =>
      references(container)
        .filter(({ secret }) => !allowed.includes(secret))
        .map(
          ({ secret, by }) =>
            `${title} ${stringAt(container, "name")} with ${by} referencing secret.secretName="${secret}" ${blame} secret`,
        ),
    ),
  );
  if (onlyEphemeral) return faults[0];
  const volumes = objectsAt(spec, "volumes")
    .flatMap((volume) => (isObject(volume["secret"]) ? [stringAt(volume["secret"], "secretName")] : []))
    .filter((secret) => !allowed.includes(secret))
    .map((secret) => `volume with secret.secretName="${secret}" ${blame} secret`);
  const pulls = objectsAt(account, "imagePullSecrets").map((secret) => secret["name"]);
  const pulled = objectsAt(spec, "imagePullSecrets").flatMap((secret, index) =>
    pulls.includes(secret["name"])
      ? []
      : [`imagePullSecrets[${index}].name="${stringAt(secret, "name")}" ${blame} imagePullSecret`],
  );
  return [...volumes, ...faults, ...pulled][0];
}
