// What makes classes and claims of devices valid.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { arrayAt, deepEqual, isObject, numberAt, objectAt, stringAt } from "../json.ts";
import { duplicate, IMMUTABLE, invalid, invalids, notSupported, required, tooLong, tooMany } from "./field-errors.ts";
import { bytes, dnsLabel, dnsSubdomain } from "./formats.ts";

const MOST = 32;
const MOST_CHOICES = 8;
const LONGEST_DRIVER = 63;
const LONGEST_PARAMETERS = 10 * 1024;

export function checkDeviceClass(deviceClass: JsonObject): FieldError[] {
  return checkConfigs("spec.config", itemsAt(deviceClass, "spec", "config"));
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
  return [
    ...(requests.length > MOST ? [tooMany(`${path}.requests`, requests.length, MOST)] : []),
    ...requests.flatMap((request, index) => [
      ...checkRequest(`${path}.requests[${index}]`, request),
      ...checkTwice(`${path}.requests[${index}]`, requests, index),
    ]),
    ...checkConfigs(`${path}.config`, itemsAt(devices, "config")),
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
    ...(choices.length > MOST_CHOICES ? [tooMany(list, choices.length, MOST_CHOICES)] : []),
    ...choices.flatMap((choice, index) => {
      const own = stringAt(choice, "name");
      return [
        ...invalids(`${list}[${index}].name`, own, dnsLabel(own)),
        ...checkWanted(`${list}[${index}]`, choice),
        ...checkTwice(`${list}[${index}]`, choices, index),
      ];
    }),
  ];
}

function checkWanted(path: string, wanted: JsonObject): FieldError[] {
  const name = stringAt(wanted, "deviceClassName");
  const field = `${path}.deviceClassName`;
  const errors = name === "" ? [required(field)] : invalids(field, name, dnsSubdomain(name));
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

function checkConfigs(path: string, configs: readonly JsonObject[]): FieldError[] {
  const errors = configs.length > MOST ? [tooMany(path, configs.length, MOST)] : [];
  return [...errors, ...configs.flatMap((config, index) => checkConfig(`${path}[${index}].opaque`, config["opaque"]))];
}

function checkConfig(path: string, opaque: JsonValue | undefined): FieldError[] {
  if (!isObject(opaque)) return [required(path)];
  return [
    ...checkDriver(`${path}.driver`, stringAt(opaque, "driver")),
    ...checkParameters(`${path}.parameters`, opaque["parameters"]),
  ];
}

export function checkDriver(field: string, driver: string): FieldError[] {
  if (driver === "") return [required(field)];
  const errors = bytes(driver) > LONGEST_DRIVER ? [tooLong(field, LONGEST_DRIVER)] : [];
  return [...errors, ...invalids(field, driver, dnsSubdomain(driver.toLowerCase()))];
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
  Selectors: { json: "selectors" },
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
      Constraints: { json: "constraints" },
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
