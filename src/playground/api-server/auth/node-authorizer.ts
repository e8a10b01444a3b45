// What a node may do, as system:node:NAME in group system:nodes: read what its own pods refer to, ask for their tokens,
// report on itself and on them. A table of fixed rules and one of checks that look at the object.
import type { ObjectAccess, RequestInfo, UserInfo } from "../contract.ts";
import { stringAt } from "../json.ts";
import { createNodePodIndex, type NodePodIndex } from "./node-pod-index.ts";
import { type PolicyRule, ruleAllows } from "./policy-rules.ts";

const PREFIX = "system:node:";
const LEASES = "kube-node-lease";

const READ = ["get", "list", "watch"];

const rule = (group: string, resources: readonly string[], verbs: readonly string[]): PolicyRule => ({
  verbs,
  apiGroups: [group],
  resources,
  resourceNames: [],
  nonResourceURLs: [],
});

/** What every node may do to any object. Endpoints and slices are for the service proxy and DNS beside the node runtime. */
const FIXED: readonly PolicyRule[] = [
  rule("", ["nodes", "pods", "services", "endpoints", "namespaces"], READ),
  rule("discovery.k8s.io", ["endpointslices"], READ),
  rule("", ["nodes"], ["create"]),
  rule("", ["events"], ["create", "patch", "update"]),
  rule("events.k8s.io", ["events"], ["create", "patch", "update"]),
  rule("", ["pods/eviction"], ["create"]),
  rule("authentication.k8s.io", ["tokenreviews"], ["create"]),
  rule("authorization.k8s.io", ["subjectaccessreviews", "localsubjectaccessreviews"], ["create"]),
  rule("certificates.k8s.io", ["certificatesigningrequests"], ["create", ...READ]),
  rule("node.k8s.io", ["runtimeclasses"], READ),
  rule("storage.k8s.io", ["csidrivers"], READ),
];

interface NodeCheck {
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  allows(node: string, info: RequestInfo, cluster: { index: NodePodIndex; objects: ObjectAccess }): boolean;
}

const CHECKS: readonly NodeCheck[] = [
  {
    resources: ["secrets", "configmaps"],
    verbs: READ,
    allows: (node, info, { index }) => info.name !== "" && index.refers(node, info.resource, info.namespace, info.name),
  },
  {
    resources: ["serviceaccounts", "serviceaccounts/token"],
    verbs: ["get", "create"],
    allows: (node, info, { index }) =>
      (info.verb === "get") === (info.subresource === "") &&
      index.refers(node, "serviceaccounts", info.namespace, info.name),
  },
  {
    resources: ["pods", "pods/status"],
    verbs: ["update", "patch", "delete"],
    allows: (node, info, { objects }) =>
      (info.verb === "delete") === (info.subresource === "") &&
      stringAt(objects.get("", "pods", info.namespace, info.name), "spec", "nodeName") === node,
  },
  {
    resources: ["nodes", "nodes/status"],
    verbs: ["update", "patch"],
    allows: (node, info) => info.name === node,
  },
  {
    resources: ["leases.coordination.k8s.io"],
    verbs: ["get", "create", "update", "patch", "delete"],
    allows: (node, info) => info.namespace === LEASES && (info.verb === "create" || info.name === node),
  },
  {
    resources: ["csinodes.storage.k8s.io"],
    verbs: ["get", "create", "update", "patch", "delete"],
    allows: (node, info) => info.verb === "create" || info.name === node,
  },
];

/** Undefined when the user is no node; then others decide. */
export type NodeAuthorizer = (user: UserInfo, info: RequestInfo) => boolean | undefined;

export function createNodeAuthorizer(objects: ObjectAccess): NodeAuthorizer {
  const cluster = { index: createNodePodIndex(objects), objects };
  return (user, info) => {
    if (!user.groups.includes("system:nodes") || !user.username.startsWith(PREFIX)) return undefined;
    if (!info.isResource) return false;
    if (FIXED.some((fixed) => ruleAllows(fixed, info))) return true;
    const node = user.username.slice(PREFIX.length);
    const group = info.group === "" ? "" : `.${info.group}`;
    const subresource = info.subresource === "" ? "" : `/${info.subresource}`;
    const resource = `${info.resource}${group}${subresource}`;
    return CHECKS.some(
      (check) =>
        check.resources.includes(resource) && check.verbs.includes(info.verb) && check.allows(node, info, cluster),
    );
  };
}
