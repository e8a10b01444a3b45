// What makes classes and claims of devices valid.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { arrayAt, deepEqual, isObject, numberAt, objectAt, stringAt } from "../json.ts";
import { checkDriver, checkFullDeviceName, checkSelectors } from "./device-selectors.ts";
import { duplicate, IMMUTABLE, invalid, invalids, notSupported, required, tooLong, tooMany } from "./field-errors.ts";
import { bytes, dnsLabel, dnsSubdomain } from "./formats.ts";

const MOST = 32;
const MOST_CHOICES = 8;
const LONGEST_PARAMETERS = 10 * 1024;

export function checkDeviceClass(deviceClass: JsonObject): FieldError[] {
  return [
    ...checkSelectors("spec.selectors", itemsAt(deviceClass, "spec", "selectors")),
    ...checkConfigs("spec.config", itemsAt(deviceClass, "spec", "config")),
  ];
}

export function checkResourceClaim(claim: JsonObject): FieldError[] {
  return checkDevices("spec.devices", objectAt(claim, "spec", "devices"));
}

export function checkResourceClaimTemplate(template: JsonObject): FieldError[] {
  return checkDevices("spec.spec.devices", objectAt(template, "spec", "spec", "devices"));
}

export function checkClaimSpecUpdate(claim: JsonObject, old: JsonObject): FieldError[] {
  const [spec, before] = [objectAt(claim, "spec"), objectAt(old, "spec")];
  return deepEqual(spec, before) ? [] : [invalid("spec", shown(spec, CLAIM), IMMUTABLE)];
}

export function checkTemplateSpecUpdate(template: JsonObject, old: JsonObject): FieldError[] {
  const [spec, before] = [objectAt(template, "spec"), objectAt(old, "spec")];
  if (deepEqual(spec, before)) return [];
  const value = { ...objectAt(spec, "metadata"), Spec: shown(objectAt(spec, "spec"), CLAIM) };
  return [invalid("spec", value, IMMUTABLE)];
}

/** An item that is null has nothing in it. */
const itemsAt = (value: JsonObject, ...path: readonly string[]): readonly JsonObject[] =>
  arrayAt(value, ...path).map((item) => (isObject(item) ? item : {}));

function checkDevices(path: string, devices: JsonObject): FieldError[] {
  const requests = itemsAt(devices, "requests");
  const names = requestNames(requests);
  const constraints = itemsAt(devices, "constraints");
  const list = `${path}.requests`;
  return [
    ...(requests.length > MOST
      ? [tooMany(list, requests.length, MOST)]
      : [
          ...requests.flatMap((request, index) => checkRequest(`${list}[${index}]`, request)),
          ...requests.flatMap((_request, index) => checkTwice(`${list}[${index}]`, requests, index)),
        ]),
    ...(constraints.length > MOST
      ? [tooMany(`${path}.constraints`, constraints.length, MOST)]
      : constraints.flatMap((one, index) => checkConstraint(`${path}.constraints[${index}]`, one, names))),
    ...checkConfigs(`${path}.config`, itemsAt(devices, "config"), names),
  ];
}

/** All that a reference may say: a request, or one of its choices behind a slash. */
const requestNames = (requests: readonly JsonObject[]): ReadonlySet<string> =>
  new Set(
    requests.flatMap((request) => {
      const name = stringAt(request, "name");
      return [name, ...itemsAt(request, "firstAvailable").map((choice) => `${name}/${stringAt(choice, "name")}`)];
    }),
  );

const NO_SUCH_REQUEST =
  "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";

function checkReferences(path: string, of: JsonObject, names: ReadonlySet<string>): FieldError[] {
  const references = arrayAt(of, "requests").map((name) => (typeof name === "string" ? name : ""));
  if (references.length > MOST) return [tooMany(path, references.length, MOST)];
  const each = references.flatMap((name, index) => {
    const field = `${path}[${index}]`;
    const steps = name.split("/");
    const unknown = names.has(name) ? [] : [invalid(field, name, NO_SUCH_REQUEST)];
    if (steps.length > 2) return unknown;
    return [...steps.flatMap((step) => invalids(field, step, dnsLabel(step))), ...unknown];
  });
  const twice = references.flatMap((name, index) =>
    references.indexOf(name) < index ? [duplicate(`${path}[${index}]`, name)] : [],
  );
  return [...each, ...twice];
}

function checkConstraint(path: string, constraint: JsonObject, names: ReadonlySet<string>): FieldError[] {
  const attribute = constraint["matchAttribute"];
  const field = `${path}.matchAttribute`;
  return [
    ...checkReferences(`${path}.requests`, constraint, names),
    ...(typeof attribute === "string" ? checkFullDeviceName(field, attribute) : [required(field)]),
  ];
}

function checkTwice(path: string, all: readonly JsonObject[], index: number): FieldError[] {
  const name = stringAt(all[index], "name");
  return all.findIndex((one) => stringAt(one, "name") === name) < index ? [duplicate(path, name)] : [];
}

const CHOICE = "exactly one of `exactly` or `firstAvailable` is required";

function checkRequest(path: string, request: JsonObject): FieldError[] {
  const name = stringAt(request, "name");
  const choices = itemsAt(request, "firstAvailable");
  const exactly = request["exactly"];
  const errors = invalids(`${path}.name`, name, dnsLabel(name));
  if (choices.length === 0 && !isObject(exactly)) return [...errors, required(path, CHOICE)];
  if (choices.length > 0 && isObject(exactly)) {
    return [...errors, invalid(path, null, `${CHOICE}, but multiple fields are set`)];
  }
  if (isObject(exactly)) return [...errors, ...checkWanted(`${path}.exactly`, exactly)];
  const list = `${path}.firstAvailable`;
  return [
    ...errors,
    ...(choices.length > MOST_CHOICES
      ? [tooMany(list, choices.length, MOST_CHOICES)]
      : [
          ...choices.flatMap((choice, index) => {
            const own = stringAt(choice, "name");
            const field = `${list}[${index}]`;
            return [...invalids(`${field}.name`, own, dnsLabel(own)), ...checkWanted(field, choice)];
          }),
          ...choices.flatMap((_choice, index) => checkTwice(`${list}[${index}]`, choices, index)),
        ]),
  ];
}

function checkWanted(path: string, wanted: JsonObject): FieldError[] {
  const name = stringAt(wanted, "deviceClassName");
  const field = `${path}.deviceClassName`;
  const errors = name === "" ? [required(field)] : invalids(field, name, dnsSubdomain(name));
  errors.push(...checkSelectors(`${path}.selectors`, itemsAt(wanted, "selectors")));
  const mode = stringAt(wanted, "allocationMode");
  const count = numberAt(wanted, "count") ?? 0;
  if (mode === "All" && count !== 0) {
    errors.push(invalid(`${path}.count`, count, "must not be specified when allocationMode is 'All'"));
  } else if (mode === "ExactCount" && count <= 0) {
    errors.push(invalid(`${path}.count`, count, "must be greater than zero"));
  } else if (mode !== "All" && mode !== "ExactCount") {
    errors.push(notSupported(`${path}.allocationMode`, mode, ["All", "ExactCount"]));
  }
  return errors;
}

function checkConfigs(path: string, configs: readonly JsonObject[], names?: ReadonlySet<string>): FieldError[] {
  if (configs.length > MOST) return [tooMany(path, configs.length, MOST)];
  return configs.flatMap((config, index) => [
    ...(names === undefined ? [] : checkReferences(`${path}[${index}].requests`, config, names)),
    ...checkConfig(`${path}[${index}].opaque`, config["opaque"]),
  ]);
}

function checkConfig(path: string, opaque: JsonValue | undefined): FieldError[] {
  if (!isObject(opaque)) return [required(path)];
  return [
    ...checkDriver(`${path}.driver`, stringAt(opaque, "driver")),
    ...checkParameters(`${path}.parameters`, opaque["parameters"]),
  ];
}

function checkParameters(field: string, parameters: JsonValue | undefined): FieldError[] {
  if (parameters === undefined || parameters === null) return [required(field)];
  if (bytes(JSON.stringify(parameters)) > LONGEST_PARAMETERS) return [tooLong(field, LONGEST_PARAMETERS)];
  return isObject(parameters) ? [] : [invalid(field, "<value omitted>", "must be a valid JSON object")];
}

/** Fields in Go's order under Go's names; null where nothing is, unless there is something else to show. */
interface Shape {
  readonly [goName: string]: { readonly json: string; readonly of?: Shape; readonly none?: JsonValue };
}

const WANTED = {
  DeviceClassName: { json: "deviceClassName", none: "" },
  Selectors: { json: "selectors", of: { CEL: { json: "cel", of: { Expression: { json: "expression", none: "" } } } } },
  AllocationMode: { json: "allocationMode", none: "" },
  Count: { json: "count", none: 0 },
} satisfies Shape;

const CLAIM: Shape = {
  Devices: {
    json: "devices",
    of: {
      Requests: {
        json: "requests",
        of: {
          Name: { json: "name", none: "" },
          Exactly: {
            json: "exactly",
            of: {
              ...WANTED,
              AdminAccess: { json: "adminAccess" },
              Tolerations: { json: "tolerations" },
              Capacity: { json: "capacity" },
            },
          },
          FirstAvailable: {
            json: "firstAvailable",
            of: {
              Name: { json: "name", none: "" },
              ...WANTED,
              Tolerations: { json: "tolerations" },
              Capacity: { json: "capacity" },
            },
          },
        },
      },
      Constraints: {
        json: "constraints",
        of: {
          Requests: { json: "requests" },
          MatchAttribute: { json: "matchAttribute" },
          DistinctAttribute: { json: "distinctAttribute" },
        },
      },
      Config: {
        json: "config",
        of: {
          Requests: { json: "requests" },
          Opaque: {
            json: "opaque",
            of: { Driver: { json: "driver", none: "" }, Parameters: { json: "parameters" } },
          },
        },
      },
    },
  },
};

function shown(value: JsonObject, shape: Shape): JsonObject {
  return Object.fromEntries(
    Object.entries(shape).map(([name, { json, of, none = null }]) => {
      const field = value[json];
      const whole = json === "devices" ? objectAt(value, json) : field;
      if (of === undefined || whole === undefined) return [name, whole ?? none];
      if (Array.isArray(whole)) return [name, whole.map((item) => (isObject(item) ? shown(item, of) : item))];
      return [name, isObject(whole) ? shown(whole, of) : whole];
    }),
  );
}
