import { PORTS, PROXY_UID } from "#api/constants/ports";
import type { Container } from "#api/kubernetes/gen/types";
import { INIT_CONTAINER, type InjectionContext } from "./injection-context.ts";

/** The container that redirects the pod's traffic into the proxy before anything else of the pod runs. */
export function initContainer(context: InjectionContext): Container {
  const { settings, annotations } = context;
  const pull = settings.proxy.imagePullPolicy;
  return {
    name: INIT_CONTAINER,
    image: annotations["sidecar.istio.io/proxyImage"] ?? settings.proxy.initImage,
    ...(pull === undefined ? {} : { imagePullPolicy: pull }),
    args: interceptionArgs(context),
    resources: settings.proxy.initResources,
    securityContext: {
      allowPrivilegeEscalation: settings.proxy.privileged,
      capabilities: { add: ["NET_ADMIN", "NET_RAW"], drop: ["ALL"] },
      privileged: settings.proxy.privileged,
      readOnlyRootFilesystem: false,
      runAsGroup: 0,
      runAsNonRoot: false,
      runAsUser: 0,
    },
  };
}

function interceptionArgs(context: InjectionContext): string[] {
  const { proxy } = context.settings;
  const asked = (name: string, fallback: string) => context.annotations[`traffic.sidecar.istio.io/${name}`] ?? fallback;
  const optional = (flag: string, value: string) => (value === "" ? [] : [flag, value]);
  return [
    "istio-iptables",
    "-p",
    String(PORTS.outbound),
    "-z",
    String(PORTS.inbound),
    "-u",
    String(PROXY_UID),
    "-m",
    context.interceptionMode,
    "-i",
    asked("includeOutboundIPRanges", proxy.includeIPRanges),
    "-x",
    asked("excludeOutboundIPRanges", proxy.excludeIPRanges),
    "-b",
    asked("includeInboundPorts", proxy.includeInboundPorts),
    "-d",
    excludedInboundPorts(context, asked("excludeInboundPorts", proxy.excludeInboundPorts)),
    ...optional("-q", asked("includeOutboundPorts", proxy.includeOutboundPorts)),
    ...optional("-o", asked("excludeOutboundPorts", proxy.excludeOutboundPorts)),
    ...optional("-k", asked("kubevirtInterfaces", "")),
    ...optional("-c", asked("excludeInterfaces", "")),
  ];
}

/** The proxy's own ports never come back into the proxy; the user's follow. */
function excludedInboundPorts(context: InjectionContext, user: string): string {
  const own = [PORTS.proxyStats, PORTS.proxyHealth, ...(context.statusPort === 0 ? [] : [context.statusPort])].map(
    String,
  );
  const more = user.split(",").map((port) => port.trim());
  return [...new Set([...own, ...more])].filter((port) => port !== "").join(",");
}
