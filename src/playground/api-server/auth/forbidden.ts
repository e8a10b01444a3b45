import { ApiStatusError, type RequestInfo, type UserInfo } from "../contract.ts";
import { resourceOf } from "./policy-rules.ts";

/** `User "x" cannot list resource "pods" in API group "" in the namespace "y"`: Kubernetes' words, which people search for. */
export function denial(user: UserInfo, info: RequestInfo): string {
  const who = `User ${JSON.stringify(user.username)} cannot ${info.verb}`;
  if (!info.isResource) return `${who} path ${JSON.stringify(info.path)}`;
  const where = info.namespace === "" ? "at the cluster scope" : `in the namespace ${JSON.stringify(info.namespace)}`;
  return `${who} resource ${JSON.stringify(resourceOf(info))} in API group ${JSON.stringify(info.group)} ${where}`;
}

/** The 403 of a refused request; `reason` is what the authorizer said, by default the denial above. */
export function forbiddenFor(user: UserInfo, info: RequestInfo, reason = denial(user, info)): ApiStatusError {
  if (!info.isResource) return new ApiStatusError(403, "Forbidden", `forbidden: ${reason}`, {});
  const qualified = info.group === "" ? info.resource : `${info.resource}.${info.group}`;
  const name = info.name === "" ? "" : ` ${JSON.stringify(info.name)}`;
  return new ApiStatusError(403, "Forbidden", `${qualified}${name} is forbidden: ${reason}`, {
    ...(info.name === "" ? {} : { name: info.name }),
    ...(info.group === "" ? {} : { group: info.group }),
    kind: info.resource,
  });
}
