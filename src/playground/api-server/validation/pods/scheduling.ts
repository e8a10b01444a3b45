// Where a pod may run: affinities, tolerations, spread.
import type { FieldError } from "../../api-errors.ts";
import type { JsonObject, JsonValue } from "../../contract.ts";
import { arrayAt, isObject, numberAt, objectAt, objectsAt, stringAt } from "../../json.ts";
import { duplicate, forbidden, invalid, invalids, notSupported, required } from "../field-errors.ts";
import { dnsLabel, dnsSubdomain, labelValue } from "../formats.ts";
import { checkLabelName, checkLabelSelector } from "../label-selectors.ts";

const REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution";

function checkOperator(path: string, requirement: JsonObject): FieldError[] {
  const [operator, count] = [stringAt(requirement, "operator"), arrayAt(requirement, "values").length];
  const field = `${path}.values`;
  if (operator === "In" || operator === "NotIn")
    return count > 0 ? [] : [required(field, "must be specified when `operator` is 'In' or 'NotIn'")];
  if (operator === "Exists" || operator === "DoesNotExist") {
    const why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
    return count === 0 ? [] : [forbidden(field, why)];
  }
  if (operator === "Gt" || operator === "Lt")
    return count === 1 ? [] : [required(field, "must be specified single value when `operator` is 'Lt' or 'Gt'")];
  return [invalid(`${path}.operator`, operator, "not a valid selector operator")];
}

function checkRequirement(path: string, requirement: JsonObject, looseValues: boolean): FieldError[] {
  const values = looseValues ? [] : arrayAt(requirement, "values");
  return [
    ...checkOperator(path, requirement),
    ...checkLabelName(`${path}.key`, stringAt(requirement, "key")),
    ...values.flatMap((value, index) => invalids(`${path}.values[${index}]`, value, labelValue(String(value)))),
  ];
}

function checkFieldRequirement(path: string, requirement: JsonObject): FieldError[] {
  const [operator, key] = [stringAt(requirement, "operator"), stringAt(requirement, "key")];
  const values = arrayAt(requirement, "values");
  const errors: FieldError[] = [];
  if (operator !== "In" && operator !== "NotIn")
    errors.push(invalid(`${path}.operator`, operator, "not a valid selector operator"));
  else if (values.length !== 1) {
    const why = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
    errors.push(required(`${path}.values`, why));
  }
  if (key !== "metadata.name") return [...errors, invalid(`${path}.key`, key, "not a valid field selector key")];
  return [
    ...errors,
    ...values.flatMap((value, index) => invalids(`${path}.values[${index}]`, value, dnsSubdomain(String(value)))),
  ];
}

function checkTerm(path: string, term: JsonObject, looseValues: boolean): FieldError[] {
  return [
    ...objectsAt(term, "matchExpressions").flatMap((requirement, index) =>
      checkRequirement(`${path}.matchExpressions[${index}]`, requirement, looseValues),
    ),
    ...objectsAt(term, "matchFields").flatMap((requirement, index) =>
      checkFieldRequirement(`${path}.matchFields[${index}]`, requirement),
    ),
  ];
}

/** Of a pod's affinity and of a PersistentVolume's. */
export function checkNodeSelector(path: string, selector: JsonObject): FieldError[] {
  const terms = objectsAt(selector, "nodeSelectorTerms");
  const field = `${path}.nodeSelectorTerms`;
  if (terms.length === 0) return [required(field, "must have at least one node selector term")];
  return terms.flatMap((term, index) => checkTerm(`${field}[${index}]`, term, false));
}

function checkWeight(path: string, item: JsonObject): FieldError[] {
  const weight = numberAt(item, "weight") ?? 0;
  return weight > 0 && weight <= 100 ? [] : [invalid(`${path}.weight`, weight, "must be in the range 1-100")];
}

function checkNodeAffinity(path: string, affinity: JsonObject): FieldError[] {
  const wanted = affinity[REQUIRED];
  return [
    ...(isObject(wanted) ? checkNodeSelector(`${path}.${REQUIRED}`, wanted) : []),
    ...objectsAt(affinity, PREFERRED).flatMap((term, index) => {
      const at = `${path}.${PREFERRED}[${index}]`;
      return [...checkWeight(at, term), ...checkTerm(`${at}.preference`, objectAt(term, "preference"), true)];
    }),
  ];
}

function checkPodTerm(path: string, term: JsonObject): FieldError[] {
  const key = stringAt(term, "topologyKey");
  return [
    ...checkLabelSelector(`${path}.labelSelector`, term["labelSelector"]),
    ...checkLabelSelector(`${path}.namespaceSelector`, term["namespaceSelector"]),
    ...arrayAt(term, "namespaces").flatMap((name) => invalids(`${path}.namespace`, name, dnsLabel(String(name)))),
    ...checkLabelKeys(path, term),
    ...(key === "" ? [required(`${path}.topologyKey`, "can not be empty")] : []),
    ...checkLabelName(`${path}.topologyKey`, key),
  ];
}

function checkKeyList(path: string, keys: readonly JsonValue[], selector: JsonValue | undefined): FieldError[] {
  if (keys.length === 0) return [];
  if (!isObject(selector)) return [forbidden(path, "must not be specified when labelSelector is not set")];
  return keys.flatMap((key, index) => checkLabelName(`${path}[${index}]`, String(key)));
}

/** matchLabelKeys and mismatchLabelKeys. */
function checkLabelKeys(path: string, term: JsonObject): FieldError[] {
  const [match, mismatch] = [arrayAt(term, "matchLabelKeys"), arrayAt(term, "mismatchLabelKeys")];
  const selector = term["labelSelector"];
  const errors = [
    ...checkKeyList(`${path}.matchLabelKeys`, match, selector),
    ...checkKeyList(`${path}.mismatchLabelKeys`, mismatch, selector),
  ];
  const known = new Set(Object.keys(objectAt(selector, "matchLabels")));
  for (const expression of objectsAt(selector, "matchExpressions")) {
    const key = stringAt(expression, "key");
    const index = match.lastIndexOf(key);
    if (index >= 0 && known.has(key))
      errors.push(invalid(`${path}[${index}]`, key, "exists in both matchLabelKeys and labelSelector"));
    known.add(key);
  }
  for (const [index, key] of match.entries()) {
    if (mismatch.includes(key))
      errors.push(
        invalid(`${path}.matchLabelKeys[${index}]`, key, "exists in both matchLabelKeys and mismatchLabelKeys"),
      );
  }
  return errors;
}

function checkPodAffinity(path: string, affinity: JsonObject): FieldError[] {
  return [
    ...objectsAt(affinity, REQUIRED).flatMap((term, index) => checkPodTerm(`${path}.${REQUIRED}[${index}]`, term)),
    ...objectsAt(affinity, PREFERRED).flatMap((term, index) => {
      const at = `${path}.${PREFERRED}[${index}]`;
      return [...checkWeight(at, term), ...checkPodTerm(`${at}.podAffinityTerm`, objectAt(term, "podAffinityTerm"))];
    }),
  ];
}

export function checkAffinity(path: string, affinity: JsonValue | undefined): FieldError[] {
  return [
    ...checkNodeAffinity(`${path}.nodeAffinity`, objectAt(affinity, "nodeAffinity")),
    ...checkPodAffinity(`${path}.podAffinity`, objectAt(affinity, "podAffinity")),
    ...checkPodAffinity(`${path}.podAntiAffinity`, objectAt(affinity, "podAntiAffinity")),
  ];
}

const EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

export function checkTaintEffect(field: string, effect: string): FieldError[] {
  return EFFECTS.includes(effect) ? [] : [notSupported(field, effect, EFFECTS)];
}

export function checkTolerations(path: string, tolerations: readonly JsonObject[]): FieldError[] {
  return tolerations.flatMap((toleration, index) => checkToleration(`${path}[${index}]`, toleration));
}

function checkToleration(path: string, toleration: JsonObject): FieldError[] {
  const [key, operator] = [stringAt(toleration, "key"), stringAt(toleration, "operator")];
  const [value, effect] = [stringAt(toleration, "value"), stringAt(toleration, "effect")];
  const field = `${path}.operator`;
  const errors = key === "" ? [] : checkLabelName(`${path}.key`, key);
  if (key === "" && operator !== "Exists") {
    const why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
    errors.push(invalid(field, operator, why));
  }
  if (toleration["tolerationSeconds"] !== undefined && effect !== "NoExecute")
    errors.push(invalid(`${path}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"));
  errors.push(...checkTolerationOperator(field, operator, value));
  return effect === "" ? errors : [...errors, ...checkTaintEffect(`${path}.effect`, effect)];
}

function checkTolerationOperator(field: string, operator: string, value: string): FieldError[] {
  if (operator === "Equal" || operator === "") {
    const wrong = labelValue(value);
    return wrong.length === 0 ? [] : [invalid(field, value, wrong.join(";"))];
  }
  if (operator === "Exists")
    return value === "" ? [] : [invalid(field, value, "value must be empty when `operator` is 'Exists'")];
  const more = operator === "Lt" || operator === "Gt" ? ["Lt", "Gt"] : [];
  return [notSupported(field, operator, ["Equal", "Exists", ...more])];
}

const UNSATISFIABLE = ["DoNotSchedule", "ScheduleAnyway"];

export function checkSpread(path: string, constraints: readonly JsonObject[]): FieldError[] {
  return constraints.flatMap((constraint, index) => {
    const at = `${path}[${index}]`;
    const [key, action] = [stringAt(constraint, "topologyKey"), stringAt(constraint, "whenUnsatisfiable")];
    const skew = numberAt(constraint, "maxSkew") ?? 0;
    const errors: FieldError[] = skew > 0 ? [] : [invalid(`${at}.maxSkew`, skew, "must be greater than zero")];
    if (key === "") errors.push(required(`${at}.topologyKey`, "can not be empty"));
    if (!UNSATISFIABLE.includes(action)) errors.push(notSupported(`${at}.whenUnsatisfiable`, action, UNSATISFIABLE));
    const repeated = constraints
      .slice(index + 1)
      .some((other) => stringAt(other, "topologyKey") === key && stringAt(other, "whenUnsatisfiable") === action);
    if (repeated) errors.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, `{${key}, ${action}}`));
    return [
      ...errors,
      ...checkMinDomains(`${at}.minDomains`, constraint["minDomains"], action),
      ...["nodeAffinityPolicy", "nodeTaintsPolicy"].flatMap((field) =>
        checkInclusion(`${at}.${field}`, constraint[field]),
      ),
      ...checkLabelKeys(at, constraint),
      ...checkLabelSelector(`${at}.labelSelector`, constraint["labelSelector"]),
    ];
  });
}

function checkMinDomains(field: string, value: JsonValue | undefined, action: string): FieldError[] {
  if (typeof value !== "number") return [];
  const errors = value > 0 ? [] : [invalid(field, value, "must be greater than zero")];
  const why = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${action}`;
  return action === "DoNotSchedule" ? errors : [...errors, invalid(field, value, why)];
}

const checkInclusion = (field: string, policy: JsonValue | undefined) =>
  policy === undefined || policy === "Honor" || policy === "Ignore"
    ? []
    : [notSupported(field, policy, ["Honor", "Ignore"])];
