// Where a pod connection goes: from a request on a pod to the address and path of the node that runs it. The node's own
// API has other parameter names than the public one.
import { badRequest, notFound } from "../api-errors.ts";
import { ApiStatusError, type JsonObject, type ObjectAccess, type RequestInfo } from "../contract.ts";
import { numberAt, objectsAt, stringAt } from "../json.ts";

/** A path on one node's kubelet port. */
export interface PodTarget {
  readonly host: string;
  readonly port: number;
  readonly path: string;
}

const DEFAULT_KUBELET_PORT = 10250;
const LOG_PARAMETERS = [
  "follow",
  "previous",
  "sinceSeconds",
  "sinceTime",
  "timestamps",
  "tailLines",
  "limitBytes",
  "stream",
];
const STREAM_PARAMETERS: Readonly<Record<string, string>> = {
  stdin: "input",
  stdout: "output",
  stderr: "error",
  tty: "tty",
};

interface Action {
  /** The path below which the node serves it. */
  readonly root: string;
  readonly ofContainer: boolean;
  query(asked: URLSearchParams): URLSearchParams;
}

const ACTIONS: Readonly<Record<string, Action>> = {
  log: { root: "containerLogs", ofContainer: true, query: logQuery },
  exec: { root: "exec", ofContainer: true, query: streamQuery },
  attach: { root: "attach", ofContainer: true, query: streamQuery },
  portforward: { root: "portForward", ofContainer: false, query: () => new URLSearchParams() },
};

/**
 * Throws ApiStatusError: 404 when the pod is missing, 400 when the container is unclear, no container of the pod, or
 * the pod has no node yet, 500 when its node has no address.
 */
export function podTarget(objects: ObjectAccess, info: RequestInfo, asked: URLSearchParams): PodTarget {
  const action = ACTIONS[info.subresource];
  if (action === undefined) throw notFound({ group: "", plural: `pods/${info.subresource}` }, info.name);
  const pod = objects.get("", "pods", info.namespace, info.name);
  if (pod === undefined) throw notFound({ group: "", plural: "pods" }, info.name);
  const container = action.ofContainer ? containerOf(pod, info.name, asked.get("container") ?? "") : undefined;
  const node = stringAt(pod, "spec", "nodeName");
  if (node === "") throw badRequest(`pod ${info.name} does not have a host assigned`);
  const parts = [action.root, info.namespace, info.name, ...(container === undefined ? [] : [container])];
  const query = action.query(asked).toString();
  return {
    ...nodeAddress(objects, node),
    path: `/${parts.map(encodeURIComponent).join("/")}${query === "" ? "" : `?${query}`}`,
  };
}

/** True for a pod that is there and has no node yet: its log is empty, as a real API server has it. */
export function isUnassigned(objects: ObjectAccess, info: RequestInfo): boolean {
  const pod = objects.get("", "pods", info.namespace, info.name);
  return pod !== undefined && stringAt(pod, "spec", "nodeName") === "";
}

function containerOf(pod: JsonObject, podName: string, asked: string): string {
  const names = (list: string) => objectsAt(pod, "spec", list).map((container) => stringAt(container, "name"));
  const [containers, init] = [names("containers"), names("initContainers")];
  const all = [...containers, ...init, ...names("ephemeralContainers")];
  if (asked !== "") {
    if (all.includes(asked)) return asked;
    throw badRequest(`container ${asked} is not valid for pod ${podName}`);
  }
  const [only] = containers;
  if (containers.length === 1 && only !== undefined) return only;
  const others = init.length > 0 ? ` or one of the init containers: [${init.join(" ")}]` : "";
  const choice = `choose one of: [${containers.join(" ")}]${others}`;
  throw badRequest(`a container name must be specified for pod ${podName}, ${choice}`);
}

function nodeAddress(objects: ObjectAccess, name: string): { host: string; port: number } {
  const node = objects.get("", "nodes", "", name);
  const addresses = objectsAt(node, "status", "addresses");
  const address =
    addresses.find((entry) => entry["type"] === "InternalIP") ??
    addresses.find((entry) => entry["type"] === "Hostname");
  if (node === undefined || address === undefined) {
    const why = node === undefined ? "is not registered" : "has reported no address";
    throw new ApiStatusError(500, "InternalError", `Internal error occurred: node ${JSON.stringify(name)} ${why}`);
  }
  const port = numberAt(node, "status", "daemonEndpoints", "kubeletEndpoint", "Port") ?? DEFAULT_KUBELET_PORT;
  return { host: stringAt(address, "address"), port };
}

function logQuery(asked: URLSearchParams): URLSearchParams {
  return new URLSearchParams([...asked].filter(([name]) => LOG_PARAMETERS.includes(name)));
}

function streamQuery(asked: URLSearchParams): URLSearchParams {
  const query = new URLSearchParams();
  for (const word of asked.getAll("command")) query.append("command", word);
  for (const [name, nodeName] of Object.entries(STREAM_PARAMETERS)) {
    // A terminal has one output: kubectl asks for stderr all the same in places.
    if (isOn(asked, name) && !(name === "stderr" && isOn(asked, "tty"))) query.set(nodeName, "1");
  }
  return query;
}

/** Which of an exec's or attach's streams are asked for. */
export function isOn(asked: URLSearchParams, name: string): boolean {
  return ["true", "1"].includes(asked.get(name) ?? "");
}
