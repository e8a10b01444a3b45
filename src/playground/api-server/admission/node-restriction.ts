// NodeRestriction: a node writes its own Node, the status of its own pods, and what kubelets make beside them. The
// authorizer lets nodes write such kinds; only here is known whose an object is.
import {
  type AdmissionAttributes,
  type AdmissionPlugin,
  ApiStatusError,
  type JsonObject,
  type ObjectAccess,
} from "../contract.ts";
import { deepEqual, objectAt, objectsAt, stringAt, valueAt } from "../json.ts";
import { refuse } from "./refuse.ts";

const PREFIX = "system:node:";
const MIRROR = "kubernetes.io/config.mirror";

interface NodeWrite {
  readonly node: string;
  readonly attributes: AdmissionAttributes;
  readonly objects: ObjectAccess;
}

/** What is wrong; undefined when nothing is. May throw 404. */
type Check = (write: NodeWrite) => string | undefined;

export function nodeRestriction(objects: ObjectAccess): AdmissionPlugin {
  return {
    name: "NodeRestriction",
    async admit(attributes) {
      restrictNode(objects, attributes);
      return attributes.object;
    },
  };
}

/** Throws 403 for what a node may not write, and 404 for a pod that is not there. */
export function restrictNode(objects: ObjectAccess, attributes: AdmissionAttributes): void {
  const { user, operation, group, resource } = attributes;
  const isNode = user.groups.includes("system:nodes") && user.username.startsWith(PREFIX);
  if (!isNode || operation === "CONNECT") return;
  const check = CHECKS[`${group}/${resource}`];
  const fault = check?.({ node: user.username.slice(PREFIX.length), attributes, objects });
  if (fault !== undefined) throw refuse(attributes, fault);
}

const quoted = (text: string) => JSON.stringify(text);

const checkNode: Check = ({ node, attributes }) => {
  const { name, operation, object, oldObject } = attributes;
  if (name !== node) return `node ${quoted(node)} is not allowed to modify node ${quoted(name)}`;
  if (operation === "DELETE") return undefined;
  const labels = forbiddenLabels(object, operation === "CREATE" ? undefined : oldObject).join(", ");
  if (operation === "CREATE") {
    return labels === "" ? undefined : `node ${quoted(node)} is not allowed to set the following labels: ${labels}`;
  }
  if (!deepEqual(valueAt(object, "spec", "taints"), valueAt(oldObject, "spec", "taints")))
    return `node ${quoted(node)} is not allowed to modify taints`;
  if (!deepEqual(valueAt(object, "metadata", "ownerReferences"), valueAt(oldObject, "metadata", "ownerReferences")))
    return `node ${quoted(node)} is not allowed to modify ownerReferences`;
  return labels === "" ? undefined : `is not allowed to modify labels: ${labels}`;
};

/** Of the labels that differ, those of Kubernetes that are not a kubelet's, in order. */
function forbiddenLabels(object: JsonObject | undefined, before: JsonObject | undefined): string[] {
  const [now, then] = [objectAt(object, "metadata", "labels"), objectAt(before, "metadata", "labels")];
  const changed = [...new Set([...Object.keys(now), ...Object.keys(then)])].filter((key) => now[key] !== then[key]);
  return changed.filter(isForbidden).sort();
}

const KUBELET_LABELS = new Set([
  "kubernetes.io/hostname",
  "topology.kubernetes.io/zone",
  "topology.kubernetes.io/region",
  "failure-domain.beta.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/region",
  "node.kubernetes.io/instance-type",
  "beta.kubernetes.io/instance-type",
  "kubernetes.io/os",
  "kubernetes.io/arch",
  "beta.kubernetes.io/os",
  "beta.kubernetes.io/arch",
]);

const isIn = (namespace: string, ...domains: readonly string[]) =>
  domains.some((domain) => namespace === domain || namespace.endsWith(`.${domain}`));

function isForbidden(label: string): boolean {
  const namespace = label.includes("/") ? label.slice(0, label.indexOf("/")) : "";
  if (isIn(namespace, "node-restriction.kubernetes.io")) return true;
  const ofKubelet = KUBELET_LABELS.has(label) || isIn(namespace, "kubelet.kubernetes.io", "node.kubernetes.io");
  return isIn(namespace, "kubernetes.io", "k8s.io") && !ofKubelet;
}

const nodeOf = (pod: JsonObject | undefined) => stringAt(pod, "spec", "nodeName");

/** As Kubernetes' own cache says that it has none. */
function podNamed({ attributes, objects }: NodeWrite): JsonObject {
  const { namespace, name } = attributes;
  const pod = objects.get("", "pods", namespace, name);
  if (pod !== undefined) return pod;
  throw new ApiStatusError(404, "NotFound", `pod ${quoted(name)} not found`, { name, kind: "pod" });
}

const checkPod: Check = (write) => {
  const { node, attributes } = write;
  const { operation, subresource, oldObject, object } = attributes;
  if (subresource === "status") return checkPodStatus(write);
  if (subresource === "eviction") {
    return nodeOf(podNamed(write)) === node
      ? undefined
      : `node ${node} can only evict pods with spec.nodeName set to itself`;
  }
  if (subresource !== "")
    return `unexpected pod subresource ${quoted(subresource)}, only 'status' and 'eviction' are allowed`;
  if (operation === "DELETE") {
    return nodeOf(oldObject ?? podNamed(write)) === node
      ? undefined
      : `node ${quoted(node)} can only delete pods with spec.nodeName set to itself`;
  }
  if (operation === "CREATE") return checkMirror(write, object);
  return `unexpected operation ${quoted(operation)}, node ${quoted(node)} can only create and delete mirror pods`;
};

function checkPodStatus({ node, attributes: { oldObject, object } }: NodeWrite): string | undefined {
  const who = `node ${quoted(node)}`;
  if (nodeOf(oldObject) !== node) return `${who} can only update pod status for pods with spec.nodeName set to itself`;
  if (!deepEqual(objectAt(oldObject, "metadata", "labels"), objectAt(object, "metadata", "labels")))
    return `${who} cannot update labels through pod status`;
  return undefined;
}

function checkMirror({ node, objects }: NodeWrite, pod: JsonObject | undefined): string | undefined {
  const who = `node ${quoted(node)}`;
  if (!Object.hasOwn(objectAt(pod, "metadata", "annotations"), MIRROR))
    return `pod does not have ${quoted(MIRROR)} annotation, ${who} can only create mirror pods`;
  if (nodeOf(pod) !== node) return `${who} can only create pods with spec.nodeName set to itself`;
  const owners = objectsAt(pod, "metadata", "ownerReferences");
  if (owners.length > 1) return `${who} can only create pods with a single owner reference set to itself`;
  const owner = owners[0] ?? {};
  if (owner["apiVersion"] !== "v1" || owner["kind"] !== "Node" || owner["name"] !== node)
    return `${who} can only create pods with an owner reference set to itself`;
  if (owner["controller"] !== true)
    return `${who} can only create pods with a controller owner reference set to itself`;
  if (owner["blockOwnerDeletion"] === true) return `${who} must not set blockOwnerDeletion on an owner reference`;
  const uid = stringAt(objects.get("", "nodes", "", node), "metadata", "uid");
  const named = stringAt(owner, "uid");
  return uid === named ? undefined : `node ${node} UID mismatch: expected ${named} got ${uid}`;
}

/** The authorizer knows the name of whatever is there already. */
const checkOwn =
  (kind: string): Check =>
  ({ node, attributes: { name, object } }) =>
    (name === "" ? stringAt(object, "metadata", "name") : name) === node
      ? undefined
      : `can only access ${kind} with the same name as the requesting node`;

const CHECKS: Readonly<Record<string, Check>> = {
  "/nodes": checkNode,
  "/pods": checkPod,
  "coordination.k8s.io/leases": checkOwn("node lease"),
  "storage.k8s.io/csinodes": checkOwn("CSINode"),
};
