// What a pod asks for as a whole, against what its containers ask for.
import { containerResources, containersResources } from "../../amounts/pod-resources.ts";
import type { FieldError } from "../../api-errors.ts";
import type { JsonObject } from "../../contract.ts";
import { objectAt, objectsAt } from "../../json.ts";
import { canonicalQuantity, formatQuantity, nanoUnits } from "../../quantity.ts";
import { invalid } from "../field-errors.ts";

export function checkAgainstContainers(path: string, spec: JsonObject, resources: JsonObject): FieldError[] {
  const limits = objectAt(resources, "limits");
  return [
    ...checkSum(path, spec, "requests"),
    ...checkSum(path, spec, "limits"),
    ...objectsAt(spec, "containers").flatMap((container, index) =>
      [...containerResources(container, "limits")].flatMap(([name, amount]) => {
        const most = limits[name];
        if (most === undefined || amount.value <= nanoUnits(most)) return [];
        const why = `must be less than or equal to pod limits of ${canonicalQuantity(String(most))}`;
        return [invalid(`${path}.containers[${index}][${name}].limits`, formatQuantity(amount), why)];
      }),
    ),
  ];
}

/** Limits are summed up only where they are requests at the same time. */
function checkSum(path: string, spec: JsonObject, sort: "requests" | "limits"): FieldError[] {
  const said = objectAt(spec, "resources", sort);
  return [...containersResources(spec, sort)].flatMap(([name, sum]) => {
    const own = said[name];
    if (own === undefined || sum.value <= nanoUnits(own)) return [];
    if (sort === "limits" && !name.startsWith("hugepages-")) return [];
    const why = `must be greater than or equal to aggregate container ${sort} of ${formatQuantity(sum)}`;
    return [invalid(`${path}.${sort}[${name}]`, canonicalQuantity(String(own)), why)];
  });
}
