// Node ports of Services, and the one at which a load balancer asks after a node's health.
import type { FieldError } from "../api-errors.ts";
import { ApiStatusError, type JsonObject } from "../contract.ts";
import { numberAt, objectAt, objectsAt, stringAt } from "../json.ts";
import { invalid } from "../validation/field-errors.ts";
import { needsHealthCheck } from "../validation/services.ts";
import type { Operation } from "./service-operation.ts";

export const NODE_PORTS = { first: 30_000, last: 32_767 };

const portOf = (port: JsonObject) => numberAt(port, "nodePort") ?? 0;
const hasPorts = (spec: JsonObject) => ["NodePort", "LoadBalancer"].includes(stringAt(spec, "type"));
const wantsPorts = (spec: JsonObject) =>
  stringAt(spec, "type") === "NodePort" ||
  (stringAt(spec, "type") === "LoadBalancer" && spec["allocateLoadBalancerNodePorts"] !== false);

/** All that a Service holds of the range. */
export function nodePortsOf(service: JsonObject): number[] {
  const spec = objectAt(service, "spec");
  const health = needsHealthCheck(spec) ? (numberAt(spec, "healthCheckNodePort") ?? 0) : 0;
  return [...objectsAt(spec, "ports").map(portOf), health].filter((port) => port !== 0);
}

/** A port of the same name keeps its node port, unless another one took that over. */
export function keepNodePorts(spec: JsonObject, before: JsonObject): void {
  if (!wantsPorts(spec) || !wantsPorts(before)) return;
  const [ports, old] = [objectsAt(spec, "ports"), objectsAt(before, "ports")];
  const now = new Set(ports.map(portOf));
  const used = new Set(old.map(portOf).filter((port) => port !== 0 && now.has(port)));
  const byName = new Map(old.map((port) => [stringAt(port, "name"), portOf(port)]));
  for (const port of ports) {
    const kept = byName.get(stringAt(port, "name")) ?? 0;
    if (portOf(port) === 0 && kept !== 0 && !used.has(kept)) port["nodePort"] = kept;
  }
}

export function assignNodePorts(service: JsonObject, old: JsonObject | undefined, operation: Operation): FieldError[] {
  const spec = objectAt(service, "spec");
  const errors = hasPorts(spec) ? givePorts(spec, old, operation) : [];
  if (errors.length > 0) return errors;
  const refusal = giveHealthPort(spec, objectAt(old, "spec"), operation);
  if (refusal.length > 0 || old === undefined) return refusal;
  const kept = new Set(nodePortsOf(service));
  for (const port of nodePortsOf(old).filter((one) => !kept.has(one))) {
    operation.ports.release(port, operation.owner);
    operation.undo.push(() => void operation.ports.take(port, operation.owner));
  }
  return [];
}

function givePorts(spec: JsonObject, old: JsonObject | undefined, operation: Operation): FieldError[] {
  const ports = objectsAt(spec, "ports");
  const chosen = old === undefined ? portsOfNew() : portsOfChanged(nodePortsOf(old));
  const taken = new Set<string>();
  for (const [index, port] of ports.entries()) {
    if (portOf(port) === 0 && !wantsPorts(spec)) continue;
    const given = chosen(port, ports, operation);
    if (typeof given === "string") return [invalid(`spec.ports[${index}].nodePort`, portOf(port), given)];
    port["nodePort"] = given;
    // Kubernetes finds out before it looks at the Service, and takes it for its own fault.
    const both = `${stringAt(port, "protocol")} ${given}`;
    if (old !== undefined && taken.has(both)) throw new ApiStatusError(500, "", `duplicate nodePort: {${both}}`);
    taken.add(both);
  }
  return [];
}

/** The node port of a Service's port, or why it gets none. */
type ChoosePort = (port: JsonObject, ports: readonly JsonObject[], operation: Operation) => number | string;

/** Of a new Service, ports of one number under several protocols share a node port. */
function portsOfNew(): ChoosePort {
  const byNumber = new Map<number, number>();
  return (port, ports, operation) => {
    const number = numberAt(port, "port") ?? 0;
    const shared = byNumber.get(number);
    if (shared !== undefined) {
      const asked = portOf(port) || shared;
      return asked === shared ? shared : takePort(asked, operation);
    }
    const asked = requestedFor(number, ports);
    const given = asked === 0 ? takeAnyPort(operation) : takePort(asked, operation);
    if (typeof given === "number") byNumber.set(number, given);
    return given;
  };
}

function portsOfChanged(had: readonly number[]): ChoosePort {
  const mine = new Set(had);
  return (port, _ports, operation) => {
    const asked = portOf(port);
    if (mine.has(asked)) return asked;
    const given = asked === 0 ? takeAnyPort(operation) : takePort(asked, operation);
    if (typeof given === "number") mine.add(given);
    return given;
  };
}

function requestedFor(number: number, ports: readonly JsonObject[]): number {
  const found = ports.find((port) => numberAt(port, "port") === number && portOf(port) !== 0);
  return found === undefined ? 0 : portOf(found);
}

function giveHealthPort(spec: JsonObject, before: JsonObject, operation: Operation): FieldError[] {
  if (!needsHealthCheck(spec) || needsHealthCheck(before)) return [];
  const asked = numberAt(spec, "healthCheckNodePort") ?? 0;
  const given = asked === 0 ? takeAnyPort(operation) : takePort(asked, operation);
  if (typeof given === "string") return [invalid("spec.healthCheckNodePort", asked, given)];
  spec["healthCheckNodePort"] = given;
  return [];
}

function takePort(port: number, { ports, owner, undo, given }: Operation): number | string {
  const { first, last } = NODE_PORTS;
  if (port < first || port > last) {
    return `provided port is not in the valid range. The range of valid ports is ${first}-${last}`;
  }
  if (!ports.take(port, owner)) return "provided port is already allocated";
  undo.push(() => ports.release(port, owner));
  given.push(port);
  return port;
}

/** What a dry run shows: no port is looked for. */
const SHOWN_PORT = 32_768;

function takeAnyPort({ ports, owner, undo, given, dryRun }: Operation): number | string {
  if (dryRun) {
    const shown = Math.max(...(given.length > 0 ? given : [SHOWN_PORT])) + 1;
    given.push(shown);
    return shown;
  }
  const port = ports.takeAny(owner);
  if (port === undefined) return "no node port is free";
  undo.push(() => ports.release(port, owner));
  given.push(port);
  return port;
}
