import type { Service } from "#api/kubernetes/gen/types";

/**
 * The variables by which containers find services: those of `kubernetes` always, those of the pod's own namespace
 * when service links are on.
 */
export function serviceEnvironment(
  services: readonly Service[],
  namespace: string,
  links: boolean,
): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const service of services) {
    const { name = "", namespace: home } = service.metadata ?? {};
    const isApi = name === "kubernetes" && home === "default";
    if (isApi || (links && home === namespace)) Object.assign(variables, variablesOf(service, name));
  }
  return variables;
}

function variablesOf({ spec }: Service, name: string): Record<string, string> {
  const ip = spec?.clusterIP;
  const ports = spec?.ports ?? [];
  const [first] = ports;
  if (!ip || ip === "None" || !first) return {};
  const prefix = name.toUpperCase().replaceAll("-", "_");
  const url = (port: { port: number; protocol?: string }) =>
    `${(port.protocol ?? "TCP").toLowerCase()}://${ip}:${port.port}`;
  const variables: Record<string, string> = {
    [`${prefix}_SERVICE_HOST`]: ip,
    [`${prefix}_SERVICE_PORT`]: String(first.port),
    [`${prefix}_PORT`]: url(first),
  };
  for (const port of ports) {
    if (port.name) {
      variables[`${prefix}_SERVICE_PORT_${port.name.toUpperCase().replaceAll("-", "_")}`] = String(port.port);
    }
    const protocol = port.protocol ?? "TCP";
    const stem = `${prefix}_PORT_${port.port}_${protocol}`;
    variables[stem] = url(port);
    variables[`${stem}_PROTO`] = protocol.toLowerCase();
    variables[`${stem}_PORT`] = String(port.port);
    variables[`${stem}_ADDR`] = ip;
  }
  return variables;
}
