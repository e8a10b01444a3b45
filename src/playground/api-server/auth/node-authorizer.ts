// What a node may do, as system:node:NAME in group system:nodes: read what its own pods refer to, ask for their tokens,
// report on itself and on them. What the ClusterRole system:node lists, narrowed for the kinds that lead to other nodes'
// things; the admission plug-in NodeRestriction narrows writes further. A refusal says why, in Kubernetes' words.
import type { ObjectAccess, RequestInfo, UserInfo } from "../contract.ts";
import { exactValue, parseFieldSelector } from "../field-selectors.ts";
import { stringAt } from "../json.ts";
import { bootstrapPolicy } from "./bootstrap-policy.ts";
import { createNodePodIndex, type NodePodIndex } from "./node-pod-index.ts";
import { type PolicyRule, parseRules, ruleAllows, subresourceOf } from "./policy-rules.ts";

const PREFIX = "system:node:";
const LEASES = "kube-node-lease";

export interface NodeAnswer {
  readonly allowed: boolean;
  /** Of a refusal; may be empty. */
  readonly reason: string;
}

/** Undefined when the user is no node; then others decide. */
export type NodeAuthorizer = (user: UserInfo, info: RequestInfo) => NodeAnswer | undefined;

interface Question {
  readonly node: string;
  readonly info: RequestInfo;
  readonly subresource: string;
  readonly index: NodePodIndex;
  readonly objects: ObjectAccess;
}

type Decision = (question: Question) => NodeAnswer;

const YES: NodeAnswer = { allowed: true, reason: "" };
const no = (reason: string): NodeAnswer => ({ allowed: false, reason });

export function createNodeAuthorizer(objects: ObjectAccess): NodeAuthorizer {
  const index = createNodePodIndex(objects);
  const rules = nodeRules();
  return (user, info) => {
    if (!user.username.startsWith(PREFIX) || !user.groups.includes("system:nodes")) return undefined;
    const node = user.username.slice(PREFIX.length);
    if (node === "") return no(`unknown node for user ${JSON.stringify(user.username)}`);
    const decide = info.isResource ? DECISIONS[kindOf(info)] : undefined;
    if (decide !== undefined) return decide({ node, info, subresource: subresourceOf(info), index, objects });
    return rules.some((rule) => ruleAllows(rule, info)) ? YES : no("");
  };
}

const kindOf = ({ group, resource }: RequestInfo) => (group === "" ? resource : `${resource}.${group}`);

function nodeRules(): PolicyRule[] {
  const role = bootstrapPolicy().find(
    ({ kind, metadata }) => kind === "ClusterRole" && stringAt(metadata, "name") === "system:node",
  );
  return role === undefined ? [] : parseRules(role);
}

/** Whether the object leads to the node, through its pods or by itself. */
function isRelated({ node, info, index, objects }: Question): boolean {
  const { group, resource, namespace, name } = info;
  const own = objects.get(group, resource, namespace, name);
  if (resource === "pods" || OF_ONE_NODE.has(kindOf(info))) return stringAt(own, "spec", "nodeName") === node;
  if (resource !== "persistentvolumes") return index.refers(node, resource, namespace, name);
  const claim = (field: string) => stringAt(own, "spec", "claimRef", field);
  return index.refers(node, "persistentvolumeclaims", claim("namespace"), claim("name"));
}

/** Kinds whose objects name their node. */
const OF_ONE_NODE = new Set(["volumeattachments.storage.k8s.io", "resourceslices.resource.k8s.io"]);

const related: Decision = (question) => {
  if (question.info.name === "") return no("No Object name found");
  return isRelated(question) ? YES : no(`no relationship found between node '${question.node}' and this object`);
};

const readRelated: Decision = (question) => {
  const { info, subresource } = question;
  if (!["get", "list", "watch"].includes(info.verb)) return no("can only read resources of this type");
  if (subresource !== "") return no("cannot read subresource");
  if (info.namespace === "") return no("can only read namespaced object of this type");
  return related(question);
};

const getRelated: Decision = (question) => {
  if (question.info.verb !== "get") return no("can only get individual resources of this type");
  return question.subresource === "" ? related(question) : no("cannot get subresource");
};

const claims: Decision = (question) => {
  if (question.subresource !== "status") return getRelated(question);
  return ["update", "patch"].includes(question.info.verb)
    ? related(question)
    : no("can only get/update/patch this type");
};

const accounts: Decision = (question) => {
  const { info, subresource } = question;
  if (info.verb === "get" && subresource === "") return readRelated(question);
  if (info.verb !== "create" || info.name === "") {
    return no("can only create tokens for individual service accounts");
  }
  return subresource === "token" ? related(question) : no("can only create token subresource of serviceaccount");
};

const OWN = ["get", "create", "update", "patch", "delete"];

const leases: Decision = ({ node, info }) => {
  if (!OWN.includes(info.verb)) return no("can only get, create, update, patch, or delete a node lease");
  if (info.namespace !== LEASES) return no(`can only access leases in the "${LEASES}" system namespace`);
  const isOwn = info.verb === "create" || info.name === node;
  return isOwn ? YES : no("can only access node lease with the same name as the requesting node");
};

const storageNodes: Decision = ({ node, info, subresource }) => {
  if (!OWN.includes(info.verb)) return no("can only get, create, update, patch, or delete a CSINode");
  if (subresource !== "") return no("cannot authorize CSINode subresources");
  const isOwn = info.verb === "create" || info.name === node;
  return isOwn ? YES : no("can only access CSINode with the same name as the requesting node");
};

const SLICE_VERBS = "get, watch, list, create, update, patch, delete, deletecollection";

const slices: Decision = (question) => {
  const { info, node, subresource } = question;
  if (subresource !== "") return no("cannot authorize ResourceSlice subresources");
  if (info.verb === "create") return YES;
  if (["get", "update", "patch", "delete"].includes(info.verb)) return related(question);
  if (!["watch", "list", "deletecollection"].includes(info.verb)) {
    return no(`only the following verbs are allowed for a ResourceSlice: ${SLICE_VERBS}`);
  }
  if (selects(info, "spec.nodeName", node)) return YES;
  return no("can only list/watch/deletecollection resourceslices with nodeName field selector");
};

const nodes: Decision = ({ node, info, subresource }) => {
  const { verb, name } = info;
  if (subresource === "status") return ["update", "patch"].includes(verb) ? YES : no("");
  if (subresource !== "") return no("");
  if (["create", "update", "patch"].includes(verb)) return YES;
  if (!["get", "list", "watch"].includes(verb)) return no("");
  if (name === node) return YES;
  const what = name === "" ? "all nodes" : `'${name}'`;
  return no(`node '${node}' cannot read ${what}, only its own Node object`);
};

/** Writes by subresource; NodeRestriction sees to it that they are of the node's own pods. */
const POD_WRITES: Readonly<Record<string, readonly string[]>> = {
  "": ["create", "delete"],
  status: ["update", "patch"],
  eviction: ["create"],
};

const pods: Decision = (question) => {
  const { info, node, subresource } = question;
  if (POD_WRITES[subresource]?.includes(info.verb) === true) return YES;
  if (subresource !== "") return no("");
  if (info.verb === "get") return getRelated(question);
  if (!["list", "watch"].includes(info.verb)) return no("");
  if (selects(info, "spec.nodeName", node)) return YES;
  return info.name === "" ? no("can only list/watch pods with spec.nodeName field selector") : related(question);
};

function selects({ fieldSelector = "" }: RequestInfo, field: string, value: string): boolean {
  try {
    return exactValue(parseFieldSelector(fieldSelector), field) === value;
  } catch {
    // Refused as what it is to whoever may list.
    return false;
  }
}

const DECISIONS: Readonly<Record<string, Decision>> = {
  secrets: readRelated,
  configmaps: readRelated,
  persistentvolumeclaims: claims,
  persistentvolumes: getRelated,
  "resourceclaims.resource.k8s.io": getRelated,
  "volumeattachments.storage.k8s.io": getRelated,
  serviceaccounts: accounts,
  "leases.coordination.k8s.io": leases,
  "csinodes.storage.k8s.io": storageNodes,
  "resourceslices.resource.k8s.io": slices,
  nodes,
  pods,
  "podcertificaterequests.certificates.k8s.io": () => no(""),
};
