import type { AdmissionPlugin, ObjectAccess } from "../contract.ts";
import { numberAt, stringAt } from "../json.ts";
import { refuse } from "./refuse.ts";

const GROUP = "scheduling.k8s.io";

/** Plug-in `Priority` for classes: only one of them is everybody's default. */
export function onlyOneDefaultPriority(objects: ObjectAccess): AdmissionPlugin {
  return {
    name: "Priority",
    judges: true,
    async admit(attributes) {
      const { group, resource, subresource, operation, object } = attributes;
      const isClass = group === GROUP && resource === "priorityclasses" && subresource === "";
      if (!isClass || object?.["globalDefault"] !== true) return object;
      const [present] = objects
        .list(GROUP, "priorityclasses")
        .filter((one) => one["globalDefault"] === true)
        .sort((a, b) => (numberAt(a, "value") ?? 0) - (numberAt(b, "value") ?? 0));
      const name = stringAt(present, "metadata", "name");
      if (present === undefined || (operation === "UPDATE" && name === stringAt(object, "metadata", "name"))) {
        return object;
      }
      throw refuse(attributes, `PriorityClass ${name} is already marked as default. Only one default can exist`);
    },
  };
}
