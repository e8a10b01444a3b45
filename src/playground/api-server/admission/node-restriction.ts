import { forbidden } from "../api-errors.ts";
import type { AdmissionPlugin } from "../contract.ts";
import { stringAt } from "../json.ts";

const PREFIX = "system:node:";

/** A node registers and changes itself only. The authorizer sees no name in a create, so the object must tell. */
export function nodeRestriction(): AdmissionPlugin {
  return {
    name: "NodeRestriction",
    async admit({ group, resource, operation, user, object }) {
      const isNode = user.groups.includes("system:nodes") && user.username.startsWith(PREFIX);
      if (!isNode || group !== "" || resource !== "nodes" || operation !== "CREATE") return object;
      const own = user.username.slice(PREFIX.length);
      const name = stringAt(object, "metadata", "name");
      if (name === own) return object;
      const why = `node ${JSON.stringify(own)} is not allowed to modify node ${JSON.stringify(name)}`;
      throw forbidden({ group: "", plural: "nodes" }, name, why);
    },
  };
}
