// CertificateSigningRequests tell who asked, as the server knows it, and never change what they ask for.
import type { JsonObject, UserInfo } from "../contract.ts";
import { ensureObject, objectAt, objectsAt, stringAt } from "../json.ts";

export function prepareSigningRequest(request: JsonObject, user: UserInfo): void {
  const spec = ensureObject(request, "spec");
  for (const field of ["username", "uid", "groups", "extra"]) delete spec[field];
  spec["username"] = user.username;
  if (user.uid !== undefined && user.uid !== "") spec["uid"] = user.uid;
  if (user.groups.length > 0) spec["groups"] = [...user.groups];
  const extra: JsonObject = {};
  for (const [key, values] of Object.entries(user.extra ?? {})) extra[key] = [...values];
  if (Object.keys(extra).length > 0) spec["extra"] = extra;
  request["status"] = {};
}

export interface UpdateOf {
  /** The subresource; "" for the object itself. */
  readonly door: string;
  /** RFC 3339, whole seconds. */
  readonly now: string;
}

/** What was asked stays. Who approves changes the conditions only; conditions get the times that they lack. */
export function prepareSigningRequestUpdate(request: JsonObject, old: JsonObject, change: UpdateOf): void {
  request["spec"] = old["spec"] ?? {};
  if (change.door === "") return;
  const former = objectsAt(old, "status", "conditions");
  const conditions = objectsAt(request, "status", "conditions").map((condition) => {
    const type = stringAt(condition, "type");
    if (change.door === "status" && (type === "Approved" || type === "Denied")) {
      const same = former.filter((one) => one["type"] === type);
      const own = objectsAt(request, "status", "conditions").filter((one) => one["type"] === type);
      const kept = same.length === own.length ? same[own.indexOf(condition)] : undefined;
      if (kept !== undefined) return kept;
    }
    return withTimes(condition, former, change.now);
  });
  const status = { ...objectAt(change.door === "approval" ? old : request, "status") };
  if (conditions.length > 0) status["conditions"] = conditions;
  else delete status["conditions"];
  request["status"] = status;
}

function withTimes(condition: JsonObject, former: readonly JsonObject[], now: string): JsonObject {
  const same = former.find((one) => one["type"] === condition["type"] && one["status"] === condition["status"]);
  return {
    ...condition,
    lastUpdateTime: condition["lastUpdateTime"] ?? now,
    lastTransitionTime: condition["lastTransitionTime"] ?? same?.["lastTransitionTime"] ?? now,
  };
}
