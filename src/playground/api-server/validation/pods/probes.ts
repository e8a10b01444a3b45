// Probes and lifecycle hooks of containers.
import type { FieldError } from "../../api-errors.ts";
import type { JsonObject, JsonValue } from "../../contract.ts";
import { arrayAt, isObject, numberAt, objectsAt, stringAt } from "../../json.ts";
import { forbidden, invalid, invalids, nonnegatives, notSupported, required } from "../field-errors.ts";
import { httpHeaderName, portName, portNumber } from "../formats.ts";

/** A port by number or name. */
export function checkPort(field: string, port: JsonValue | undefined): FieldError[] {
  if (typeof port === "string") return invalids(field, port, portName(port));
  const number = typeof port === "number" ? port : 0;
  return invalids(field, number, portNumber(number));
}

type Handler = (path: string, action: JsonObject, grace: number | undefined) => FieldError[];

const HANDLERS: Readonly<Record<string, Handler>> = {
  exec: (path, action) => (arrayAt(action, "command").length === 0 ? [required(`${path}.command`)] : []),
  httpGet: checkHttpGet,
  tcpSocket: (path, action) => checkPort(`${path}.port`, action["port"]),
  grpc: (path, action) => checkPort(`${path}.port`, action["port"]),
  sleep(path, action, grace) {
    const seconds = numberAt(action, "seconds") ?? 0;
    if (grace === undefined || (seconds >= 0 && seconds <= grace)) return [];
    return [invalid(path, seconds, `must be non-negative and less than terminationGracePeriodSeconds (${grace})`)];
  },
};

function checkHttpGet(path: string, action: JsonObject): FieldError[] {
  const scheme = stringAt(action, "scheme");
  return [
    ...(stringAt(action, "path") === "" ? [required(`${path}.path`)] : []),
    ...checkPort(`${path}.port`, action["port"]),
    ...(scheme === "HTTP" || scheme === "HTTPS" ? [] : [notSupported(`${path}.scheme`, scheme, ["HTTP", "HTTPS"])]),
    ...objectsAt(action, "httpHeaders").flatMap((header) =>
      invalids(`${path}.httpHeaders`, stringAt(header, "name"), httpHeaderName(stringAt(header, "name"))),
    ),
  ];
}

const PROBE_HANDLERS = ["exec", "httpGet", "tcpSocket", "grpc"];
const HOOK_HANDLERS = ["exec", "httpGet", "tcpSocket", "sleep"];

function checkHandler(path: string, holder: JsonObject, names: readonly string[], grace?: number): FieldError[] {
  const given = names.filter((name) => isObject(holder[name]));
  if (given.length === 0) return [required(path, "must specify a handler type")];
  return given.flatMap((name, index) => {
    const action = holder[name];
    if (index > 0) return [forbidden(`${path}.${name}`, "may not specify more than 1 handler type")];
    return isObject(action) ? (HANDLERS[name]?.(`${path}.${name}`, action, grace) ?? []) : [];
  });
}

const COUNTS = ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"];

function checkProbe(path: string, probe: JsonObject): FieldError[] {
  const grace = probe["terminationGracePeriodSeconds"];
  return [
    ...checkHandler(path, probe, PROBE_HANDLERS),
    ...nonnegatives(path, probe, COUNTS),
    ...(typeof grace === "number" && grace <= 0
      ? [invalid(`${path}.terminationGracePeriodSeconds`, grace, "must be greater than 0")]
      : []),
  ];
}

function onlyOnce(path: string, probe: JsonObject): FieldError[] {
  const threshold = probe["successThreshold"];
  return threshold === 1 ? [] : [invalid(`${path}.successThreshold`, threshold ?? 0, "must be 1")];
}

function noGrace(path: string, probe: JsonObject): FieldError[] {
  const grace = probe["terminationGracePeriodSeconds"];
  const field = `${path}.terminationGracePeriodSeconds`;
  return grace === undefined ? [] : [invalid(field, grace, "must not be set for readinessProbes")];
}

const PROBES = { livenessProbe: onlyOnce, readinessProbe: noGrace, startupProbe: onlyOnce } as const;

export function checkProbes(path: string, container: JsonObject): FieldError[] {
  return Object.entries(PROBES).flatMap(([name, extra]) => {
    const probe = container[name];
    return isObject(probe) ? [...checkProbe(`${path}.${name}`, probe), ...extra(`${path}.${name}`, probe)] : [];
  });
}

/** `grace` are the pod's seconds to end. */
export function checkLifecycle(
  path: string,
  lifecycle: JsonValue | undefined,
  grace: number | undefined,
): FieldError[] {
  if (!isObject(lifecycle)) return [];
  return ["postStart", "preStop"].flatMap((name) => {
    const hook = lifecycle[name];
    return isObject(hook) ? checkHandler(`${path}.${name}`, hook, HOOK_HANDLERS, grace) : [];
  });
}
