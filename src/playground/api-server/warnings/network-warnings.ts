// What a client is told of Services, network policies, endpoints, Ingresses and nodes.
import type { JsonObject } from "../contract.ts";
import { arrayAt, objectAt, objectsAt, stringAt } from "../json.ts";
import { cidrWarnings, ipWarnings } from "./address-warnings.ts";
import type { Warn } from "./write.ts";

const SAME_ZONE = 'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"';
const HINTS = "service.kubernetes.io/topology-aware-hints";
const MODE = "service.kubernetes.io/topology-mode";

const each = (object: JsonObject, key: string, warn: (index: number, text: string) => string[]) =>
  arrayAt(object, key).flatMap((item, index) => warn(index, String(item)));

export const service: Warn = (object) => {
  const spec = objectAt(object, "spec");
  const [type, address] = [stringAt(spec, "type"), stringAt(spec, "clusterIP")];
  const balancer = stringAt(spec, "loadBalancerIP");
  const external = arrayAt(spec, "externalIPs").length > 0;
  const hasAddress = address !== "" && address !== "None";
  return [
    ...(objectAt(object, "metadata", "annotations")[HINTS] === undefined
      ? []
      : [`annotation ${HINTS} is deprecated, please use ${MODE} instead`]),
    ...(hasAddress ? each(spec, "clusterIPs", (index, ip) => ipWarnings(`spec.clusterIPs[${index}]`, ip)) : []),
    ...(type === "ClusterIP" && address === "None" ? ignoredOfHeadless(spec, balancer, external) : []),
    ...each(spec, "externalIPs", (index, ip) => ipWarnings(`spec.externalIPs[${index}]`, ip)),
    ...(balancer === "" ? [] : ipWarnings("spec.loadBalancerIP", balancer)),
    ...each(spec, "loadBalancerSourceRanges", (index, range) =>
      cidrWarnings(`spec.loadBalancerSourceRanges[${index}]`, range),
    ),
    ...(type === "ExternalName" && external ? ['spec.externalIPs is ignored when spec.type is "ExternalName"'] : []),
    ...(type !== "ExternalName" && stringAt(spec, "externalName") !== ""
      ? ['spec.externalName is ignored when spec.type is not "ExternalName"']
      : []),
    ...(stringAt(spec, "trafficDistribution") === "PreferClose" ? [SAME_ZONE] : []),
  ];
};

function ignoredOfHeadless(spec: JsonObject, balancer: string, external: boolean): string[] {
  const ignored = [
    ...(balancer === "" ? [] : ["spec.loadBalancerIP"]),
    ...(external ? ["spec.externalIPs"] : []),
    ...(stringAt(spec, "sessionAffinity") === "None" ? [] : ["spec.SessionAffinity"]),
  ];
  return ignored.map((field) => `${field} is ignored for headless services`);
}

/** Where a load balancer is found, of Services and Ingresses. */
export const loadBalancerStatus: Warn = (object) =>
  objectsAt(object, "status", "loadBalancer", "ingress").flatMap((point, index) =>
    ipWarnings(`status.loadBalancer.ingress[${index}]`, stringAt(point, "ip")),
  );

export const podStatus: Warn = (object) =>
  ["podIPs", "hostIPs"].flatMap((list) =>
    objectsAt(object, "status", list).flatMap((one, index) =>
      ipWarnings(`status.${list}[${index}].ip`, stringAt(one, "ip")),
    ),
  );

const PEERS = { ingress: "from", egress: "to" } as const;

export const networkPolicy: Warn = (object) =>
  Object.entries(PEERS).flatMap(([direction, peers]) =>
    objectsAt(object, "spec", direction).flatMap((rule, at) =>
      objectsAt(rule, peers).flatMap((peer, place) => {
        const path = `spec.${direction}[${at}].${peers}[${place}].ipBlock`;
        const block = objectAt(peer, "ipBlock");
        return [
          ...cidrWarnings(`${path}.cidr`, stringAt(block, "cidr")),
          ...each(block, "except", (index, range) => cidrWarnings(`${path}.except[${index}]`, range)),
        ];
      }),
    ),
  );

const MANAGED_BY = "endpointslice.kubernetes.io/managed-by";
const CONTROLLERS = ["endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io"];

export const endpointSlice: Warn = (object, { old }) => [
  ...(old === undefined && stringAt(object, "addressType") === "FQDN"
    ? ["spec.addressType: FQDN endpoints are deprecated"]
    : []),
  ...(CONTROLLERS.includes(stringAt(object, "metadata", "labels", MANAGED_BY))
    ? []
    : objectsAt(object, "endpoints").flatMap((endpoint, at) =>
        each(endpoint, "addresses", (index, ip) => ipWarnings(`endpoints[${at}].addresses[${index}]`, ip)),
      )),
];

export const endpoints: Warn = (object) =>
  stringAt(object, "metadata", "labels", "endpoints.kubernetes.io/managed-by") === "endpoint-controller"
    ? []
    : objectsAt(object, "subsets").flatMap((subset, at) =>
        ["addresses", "notReadyAddresses"].flatMap((list) =>
          objectsAt(subset, list).flatMap((one, index) =>
            ipWarnings(`subsets[${at}].${list}[${index}].ip`, stringAt(one, "ip")),
          ),
        ),
      );

const INGRESS_CLASS = "kubernetes.io/ingress.class";

export const ingress: Warn = (object, { old }) =>
  old === undefined &&
  objectAt(object, "spec")["ingressClassName"] === undefined &&
  objectAt(object, "metadata", "annotations")[INGRESS_CLASS] !== undefined
    ? [`annotation "${INGRESS_CLASS}" is deprecated, please use 'spec.ingressClassName' instead`]
    : [];

export const node: Warn = (object) => {
  const spec = objectAt(object, "spec");
  return [
    ...(stringAt(spec, "externalID") === ""
      ? []
      : ["spec.externalID: this field is deprecated, and is unused by Kubernetes"]),
    ...each(spec, "podCIDRs", (index, range) => cidrWarnings(`spec.podCIDRs[${index}]`, range)),
  ];
};
