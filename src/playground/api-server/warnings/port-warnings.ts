// What a client is warned of in the ports of a pod's containers.
import type { JsonObject } from "../contract.ts";
import { arrayAt, numberAt, objectsAt, stringAt } from "../json.ts";

/** A container and where it is. */
export interface Placed {
  readonly path: string;
  readonly container: JsonObject;
}

interface Port {
  readonly field: string;
  readonly name: string;
  readonly key: string;
  readonly hostIP: string;
  readonly hostPort: number;
}

export function portWarnings(containers: readonly Placed[]): string[] {
  const ports: Port[] = containers.flatMap(({ path, container }) =>
    arrayAt(container, "ports").map((port, index) => ({
      field: `${path}.ports[${index}]`,
      name: stringAt(port, "name"),
      key: `${numberAt(port, "containerPort") ?? 0}/${stringAt(port, "protocol")}`,
      hostIP: stringAt(port, "hostIP"),
      hostPort: numberAt(port, "hostPort") ?? 0,
    })),
  );
  const clashes = ports.flatMap((port, index) =>
    ports
      .slice(0, index)
      .filter((other) => other.key === port.key)
      .flatMap((other) => clash(port, other)),
  );
  const names = ports.flatMap((port, index) => {
    const first = ports.find((other) => other.name === port.name && other.name !== "");
    if (first === undefined || ports.indexOf(first) === index) return [];
    return [
      `${port.field}: duplicate port name "${port.name}" with ${first.field}, services and probes that select ports by name will use ${first.field}`,
    ];
  });
  return [...containers.flatMap(hostWarnings), ...clashes, ...names];
}

function clash(port: Port, other: Port): string[] {
  const told = (what: string) => [`${port.field}: ${what} port definition with ${other.field}`];
  if (port.hostIP === other.hostIP && port.hostPort === other.hostPort) return told("duplicate");
  if (port.hostPort === 0 || other.hostPort === 0) return told("overlapping");
  const oneOpen = (port.hostIP === "") !== (other.hostIP === "");
  return port.hostPort === other.hostPort && oneOpen ? told("dangerously ambiguous") : [];
}

/** An address of the node without a port of it; Go prints the whole port. */
const hostWarnings = ({ path, container }: Placed): string[] =>
  objectsAt(container, "ports").flatMap((port, index) => {
    const [address, hostPort] = [stringAt(port, "hostIP"), numberAt(port, "hostPort") ?? 0];
    if (address === "" || hostPort !== 0) return [];
    const fields = {
      Name: stringAt(port, "name"),
      HostPort: hostPort,
      ContainerPort: numberAt(port, "containerPort") ?? 0,
      Protocol: stringAt(port, "protocol"),
      HostIP: address,
    };
    const shown = Object.entries(fields).map(([field, value]) => `${field}:${value}`);
    return [`${path}.ports[${index}]: hostIP set without hostPort: {${shown.join(" ")}}`];
  });
