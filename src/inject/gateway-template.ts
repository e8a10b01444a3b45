import type { InjectionContext } from "./injection-context.ts";
import { proxyContainer } from "./proxy-container.ts";
import { volumesOfProxy } from "./proxy-volumes.ts";
import type { PodAddition } from "./sidecar-template.ts";

/** Traffic comes to a gateway's own ports: nothing is redirected, and it may listen below 1024 without privileges. */
export function gatewayTemplate(context: InjectionContext): PodAddition {
  const container = proxyContainer(context, "router");
  const env = (container.env ?? []).filter((variable) => variable.name !== "ISTIO_META_INTERCEPTION_MODE");
  return {
    proxy: { ...container, env },
    initContainers: [],
    volumes: volumesOfProxy(context),
    labels: {},
    annotations: {},
    securityContext: { sysctls: [{ name: "net.ipv4.ip_unprivileged_port_start", value: "0" }] },
  };
}
