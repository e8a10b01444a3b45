// FlowSchemas and PriorityLevelConfigurations.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { arrayAt, isObject, numberAt, objectAt, objectsAt, stringAt } from "../json.ts";
import { duplicate, forbidden, invalid, invalids, notSupported, required } from "./field-errors.ts";
import { dnsLabel, dnsSubdomain } from "./formats.ts";

const HIGHEST_PRECEDENCE = 10_000;
const VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"];

export function checkFlowSchema(schema: JsonObject): FieldError[] {
  const [spec, name] = [objectAt(schema, "spec"), stringAt(schema, "metadata", "name")];
  const level = stringAt(spec, "priorityLevelConfiguration", "name");
  const [method, field] = [spec["distinguisherMethod"], "spec.priorityLevelConfiguration.name"];
  const errors = checkPrecedence(numberAt(spec, "matchingPrecedence") ?? 0, name);
  if (isObject(method) && method["type"] !== "ByUser" && method["type"] !== "ByNamespace") {
    const shown = { Type: stringAt(method, "type") };
    errors.push(notSupported("spec.distinguisherMethod.type", shown, ["ByNamespace", "ByUser"]));
  }
  if (level === "") errors.push(required(field, "must reference a priority level"));
  else errors.push(...invalids(field, level, dnsSubdomain(level)));
  return [
    ...errors,
    ...objectsAt(spec, "rules").flatMap((rule, index) => checkRule(`spec.rules[${index}]`, rule)),
    ...checkFlowStatus(schema),
  ];
}

function checkPrecedence(value: number, name: string): FieldError[] {
  const refuse = (why: string) => [invalid("spec.matchingPrecedence", value, why)];
  if (value <= 0) return refuse("must be a positive value");
  if (value > HIGHEST_PRECEDENCE) return refuse(`must not be greater than ${HIGHEST_PRECEDENCE}`);
  return value === 1 && name !== "exempt" ? refuse("only the schema named 'exempt' may have matchingPrecedence 1") : [];
}

function checkRule(path: string, rule: JsonObject): FieldError[] {
  const subjects = objectsAt(rule, "subjects");
  const [resources, urls] = [objectsAt(rule, "resourceRules"), objectsAt(rule, "nonResourceRules")];
  const errors =
    subjects.length === 0
      ? [required(`${path}.subjects`, "subjects must contain at least one value")]
      : subjects.flatMap((subject, index) => checkSubject(`${path}.subjects[${index}]`, subject));
  if (resources.length === 0 && urls.length === 0)
    errors.push(required(path, "at least one of resourceRules and nonResourceRules has to be non-empty"));
  return [
    ...errors,
    ...resources.flatMap((one, index) => checkResourceRule(`${path}.resourceRules[${index}]`, one)),
    ...urls.flatMap((one, index) => checkUrlRule(`${path}.nonResourceRules[${index}]`, one)),
  ];
}

/** The field that each kind of subject has, in the order in which others are refused. */
const SUBJECTS: Readonly<Record<string, string>> = { ServiceAccount: "serviceAccount", User: "user", Group: "group" };

function checkSubject(path: string, subject: JsonObject): FieldError[] {
  const kind = stringAt(subject, "kind");
  const own = SUBJECTS[kind];
  if (own === undefined) return [notSupported(`${path}.kind`, kind, Object.keys(SUBJECTS).sort())];
  const others = Object.entries(SUBJECTS).filter(([, field]) => field !== own && isObject(subject[field]));
  return [
    ...checkOwnSubject(`${path}.${own}`, subject[own], kind),
    ...others.map(([other, field]) =>
      forbidden(`${path}.${field}`, `${field} is forbidden when subject kind is not '${other}'`),
    ),
  ];
}

function checkOwnSubject(path: string, subject: JsonValue | undefined, kind: string): FieldError[] {
  const field = path.slice(path.lastIndexOf(".") + 1);
  if (!isObject(subject)) return [required(path, `${field} is required when subject kind is '${kind}'`)];
  const [name, namespace] = [stringAt(subject, "name"), stringAt(subject, "namespace")];
  const errors = name === "" ? [required(`${path}.name`)] : [];
  if (kind !== "ServiceAccount") return errors;
  if (name !== "" && name !== "*") errors.push(...invalids(`${path}.name`, name, dnsSubdomain(name)));
  if (namespace === "") errors.push(required(`${path}.namespace`, "must specify namespace for service account"));
  return [...errors, ...(namespace === "" ? [] : invalids(`${path}.namespace`, namespace, dnsLabel(namespace)))];
}

function checkVerbs(path: string, rule: JsonObject): FieldError[] {
  const verbs = arrayAt(rule, "verbs").map(String);
  if (verbs.length === 0) return [required(`${path}.verbs`, "verbs must contain at least one value")];
  if (verbs.includes("*")) return checkLone(`${path}.verbs`, verbs, "verbs");
  return verbs.every((verb) => VERBS.includes(verb)) ? [] : [notSupported(`${path}.verbs`, verbs, VERBS)];
}

/** Everything needs nothing beside it. */
const checkLone = (path: string, values: readonly string[], what: string): FieldError[] =>
  values.includes("*") && values.length > 1
    ? [invalid(path, values, `if '*' is present, must not specify other ${what}`)]
    : [];

function checkResourceRule(path: string, rule: JsonObject): FieldError[] {
  const list = (field: string) => arrayAt(rule, field).map(String);
  const [groups, resources, namespaces] = [list("apiGroups"), list("resources"), list("namespaces")];
  const field = `${path}.namespaces`;
  const errors = [
    ...checkVerbs(path, rule),
    ...(groups.length === 0
      ? [required(`${path}.apiGroups`, "resource rules must supply at least one api group")]
      : checkLone(`${path}.apiGroups`, groups, "api groups")),
    ...(resources.length === 0
      ? [required(`${path}.resources`, "resource rules must supply at least one resource")]
      : checkLone(`${path}.resources`, resources, "resources")),
  ];
  if (namespaces.length === 0 && rule["clusterScope"] !== true) {
    const why = "resource rules that are not cluster scoped must supply at least one namespace";
    return [...errors, required(field, why)];
  }
  if (namespaces.includes("*")) return [...errors, ...checkLone(field, namespaces, "namespaces")];
  const intro = "each member of this list must be '*' or a DNS-1123 label; ";
  return [
    ...errors,
    ...namespaces.flatMap((name, index) =>
      invalids(
        `${field}[${index}]`,
        name,
        dnsLabel(name).map((message) => intro + message),
      ),
    ),
  ];
}

function checkUrlRule(path: string, rule: JsonObject): FieldError[] {
  const urls = arrayAt(rule, "nonResourceURLs").map(String);
  const field = `${path}.nonResourceURLs`;
  const errors = checkVerbs(path, rule);
  if (urls.length === 0) return [...errors, required(field, "nonResourceURLs must contain at least one value")];
  if (urls.includes("*")) return [...errors, ...checkLone(field, urls, "non-resource URLs")];
  return [
    ...errors,
    ...urls.flatMap((url, index) => {
      const fault = urlFault(url);
      return fault === undefined ? [] : [invalid(`${field}[${index}]`, url, fault)];
    }),
  ];
}

function urlFault(url: string): string | undefined {
  if (url === "") return "must not be empty";
  if (url === "/") return undefined;
  if (!url.startsWith("/")) return "must start with slash";
  if (url.includes(" ")) return "must not contain white-space";
  if (url.includes("//")) return "must not contain double slash";
  const stars = url.split("*").length - 1;
  return stars > 1 || (stars === 1 && !url.endsWith("/*")) ? "wildcard can only do suffix matching" : undefined;
}

/** Of both kinds. */
export function checkFlowStatus(object: JsonObject): FieldError[] {
  const types = objectsAt(object, "status", "conditions").map((condition) => stringAt(condition, "type"));
  return types.flatMap((type, index) => {
    const path = `status.conditions[${index}].type`;
    return [...(types.indexOf(type) < index ? [duplicate(path, type)] : []), ...(type === "" ? [required(path)] : [])];
  });
}

const ZERO_SHARES = "flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares";

export function checkPriorityLevel(level: JsonObject): FieldError[] {
  const [name, spec] = [stringAt(level, "metadata", "name"), objectAt(level, "spec")];
  const [type, limited] = [stringAt(spec, "type"), spec["limited"]];
  const errors: FieldError[] = [];
  if (objectAt(level, "metadata", "annotations")[ZERO_SHARES] !== undefined)
    errors.push(forbidden("metadata.annotations", `annotation '${ZERO_SHARES}' is forbidden`));
  if ((name === "exempt") !== (type === "Exempt"))
    errors.push(invalid("spec.type", type, "must be 'Exempt' if and only if `name` is 'exempt'"));
  if (type === "Exempt") {
    if (isObject(limited)) errors.push(forbidden("spec.limited", "must be nil if the type is not Limited"));
    errors.push(...checkShares("spec.exempt", objectAt(spec, "exempt")));
  } else if (type === "Limited") {
    if (isObject(spec["exempt"])) errors.push(forbidden("spec.exempt", "must be nil if the type is Limited"));
    if (isObject(limited)) errors.push(...checkLimited(limited));
    else errors.push(required("spec.limited", "must not be empty when type is Limited"));
  } else errors.push(notSupported("spec.type", type, ["Exempt", "Limited"]));
  return [...errors, ...checkFlowStatus(level)];
}

function checkShares(path: string, level: JsonObject, between: () => FieldError[] = () => []): FieldError[] {
  const [shares, lendable] = [level["nominalConcurrencyShares"], level["lendablePercent"]];
  const errors: FieldError[] = [];
  if (typeof shares === "number" && shares < 0)
    errors.push(invalid(`${path}.nominalConcurrencyShares`, shares, "must be a non-negative integer"));
  errors.push(...between());
  if (typeof lendable === "number" && (lendable < 0 || lendable > 100))
    errors.push(invalid(`${path}.lendablePercent`, lendable, "must be between 0 and 100, inclusive"));
  return errors;
}

function checkLimited(limited: JsonObject): FieldError[] {
  const path = "spec.limited";
  const borrowing = limited["borrowingLimitPercent"];
  const errors = checkShares(path, limited, () => checkResponse(objectAt(limited, "limitResponse")));
  if (typeof borrowing !== "number" || borrowing >= 0) return errors;
  const why = "if specified, must be a non-negative integer";
  return [...errors, invalid(`${path}.borrowingLimitPercent`, borrowing, why)];
}

function checkResponse(response: JsonObject): FieldError[] {
  const path = "spec.limited.limitResponse";
  const [type, queuing] = [stringAt(response, "type"), response["queuing"]];
  if (type === "Reject") {
    const why = "must be nil if limited.limitResponse.type is not Limited";
    return isObject(queuing) ? [forbidden(`${path}.queuing`, why)] : [];
  }
  if (type !== "Queue") return [notSupported(`${path}.type`, type, ["Queue", "Reject"])];
  if (isObject(queuing)) return checkQueuing(`${path}.queuing`, queuing);
  return [required(`${path}.queuing`, "must not be empty if limited.limitResponse.type is Limited")];
}

const MOST_QUEUES = 10_000_000;
const MOST_BITS = 60;

function checkQueuing(path: string, queuing: JsonObject): FieldError[] {
  const count = (field: string) => numberAt(queuing, field) ?? 0;
  const [queues, hand, length] = [count("queues"), count("handSize"), count("queueLengthLimit")];
  const bits = Math.ceil(Math.log2(queues) * hand);
  const errors: FieldError[] = [];
  if (length <= 0) errors.push(invalid(`${path}.queueLengthLimit`, length, "must be positive"));
  if (queues <= 0) errors.push(invalid(`${path}.queues`, queues, "must be positive"));
  else if (queues > MOST_QUEUES)
    errors.push(invalid(`${path}.queues`, queues, `must not be greater than ${MOST_QUEUES}`));
  if (hand <= 0) errors.push(invalid(`${path}.handSize`, hand, "must be positive"));
  else if (hand > queues)
    errors.push(invalid(`${path}.handSize`, hand, `should not be greater than queues (${queues})`));
  else if (bits > MOST_BITS) {
    const why = `required entropy bits of deckSize ${queues} and handSize ${hand} should not be greater than ${MOST_BITS}`;
    errors.push(invalid(`${path}.handSize`, hand, why));
  }
  return errors;
}
