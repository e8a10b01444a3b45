import type { FieldError } from "../../api-errors.ts";
import { oneOf } from "../field-errors.ts";

/** When an image is fetched: of containers and of image volumes. */
export const checkPullPolicy = (field: string, policy: string): FieldError[] =>
  oneOf(field, policy, ["Always", "IfNotPresent", "Never"]);
