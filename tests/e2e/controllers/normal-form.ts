// Everything of a scenario's namespace in a form that two engines can agree on: what is random or tells the time becomes
// a word that says what it stands for. Nothing else is left out.
import { setMaxListeners } from "node:events";
import { stringify } from "yaml";
import { Kinds, type ResourceType } from "../../../src/api/kinds.ts";
import type { Event } from "../../../src/api/kubernetes/gen/types.ts";
import type { KubeObject } from "../../../src/api/kubernetes/object.ts";
import type { KubeClient } from "../../../src/kube/kube-client.ts";
import { fetchNamespacedTypes } from "../../../src/playground/controllers/garbage/discovery.ts";
import type { Scenario } from "./world.ts";
import { valueAt } from "./world.ts";

interface Found {
  readonly type: ResourceType;
  readonly object: KubeObject;
}

const SUFFIX = "[bcdfghjklmnpqrstvwxz2456789]";

/** The namespace and the scenario's cluster objects as YAML, with the number of objects and events that it tells of. */
export async function readNormalForm(
  client: KubeClient,
  scenario: Scenario,
): Promise<{ text: string; objects: number; events: number }> {
  const found = await fetchObjects(client, scenario);
  const words = new Words(scenario, found);
  const objects = found
    .map((each) => ({
      key: `${each.type.kind}/${words.of(each.object.metadata?.name ?? "")}`,
      value: words.normal(each),
    }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  const events = normalEvents(await fetchEvents(client, scenario), words, scenario.looseEvents === true);
  const document = { objects: Object.fromEntries(objects.map(({ key, value }) => [key, value])), events };
  const text = stringify(sortedKeys(document), { lineWidth: 0, aliasDuplicateObjects: false });
  return { text, objects: objects.length, events: events.length };
}

/** One for many requests at once: more listeners than Node expects by default. */
function quietSignal(): AbortSignal {
  const signal = AbortSignal.timeout(120_000);
  setMaxListeners(0, signal);
  return signal;
}

/** Asked once for each scenario, after it has made its own kinds. */
const knownTypes = new WeakMap<KubeClient, Map<string, Promise<ResourceType[]>>>();

function typesOf(client: KubeClient, { name }: Scenario): Promise<ResourceType[]> {
  const known = knownTypes.get(client) ?? new Map<string, Promise<ResourceType[]>>();
  knownTypes.set(client, known);
  const types = known.get(name) ?? fetchNamespacedTypes(client, quietSignal());
  known.set(name, types);
  return types;
}

async function fetchObjects(client: KubeClient, scenario: Scenario): Promise<Found[]> {
  const types = await typesOf(client, scenario);
  const kinds = types.filter(({ kind, plural }) => kind !== "Event" && plural !== "leases");
  const lists = await Promise.all(
    kinds.map(async (type) => {
      const { items } = await client.list<KubeObject>(type, { namespace: scenario.name });
      return items.map((object) => ({ type, object }));
    }),
  );
  const ofCluster = (scenario.clusterObjects ?? []).map(async (path): Promise<Found[]> => {
    const [plural = "", name = ""] = path.split("/");
    const type = Object.values(Kinds).find((kind) => !kind.namespaced && kind.plural === plural);
    if (type === undefined) throw new Error(`${scenario.name}: unknown kind of ${path}`);
    const { items } = await client.list<KubeObject>(type, { fieldSelector: `metadata.name=${name}` });
    return items.map((object) => ({ type, object }));
  });
  return [...lists, ...(await Promise.all(ofCluster))].flat();
}

async function fetchEvents(client: KubeClient, scenario: Scenario): Promise<Event[]> {
  const { items } = await client.list<Event>(Kinds.Event, { namespace: scenario.name });
  const names = new Set((scenario.clusterObjects ?? []).map((path) => path.split("/")[1]));
  if (names.size === 0) return items;
  const others = await client.list<Event>(Kinds.Event, { namespace: "default" });
  return [...items, ...others.items.filter(({ involvedObject }) => names.has(involvedObject.name))];
}

/** Which word stands for which random string. */
class Words {
  readonly #scenario: Scenario;
  readonly #words = new Map<string, string>();
  #pattern: RegExp = /(?!)/g;

  constructor(scenario: Scenario, found: readonly Found[]) {
    this.#scenario = scenario;
    for (const { type, object } of found) {
      const { uid = "", name = "", labels = {}, annotations = {}, ownerReferences = [] } = object.metadata ?? {};
      const owner = ownerReferences.find(({ controller }) => controller === true)?.name ?? "";
      const hash = type.kind === "ReplicaSet" ? labels["pod-template-hash"] : undefined;
      if (hash) this.#words.set(hash, `HASH${annotations["deployment.kubernetes.io/revision"] ?? ""}`);
      if (type.kind === "ControllerRevision") {
        const revision = `HASH${valueAt(object, "revision")}`;
        this.#words.set(name.slice(owner.length + 1), revision);
      }
      this.#words.set(uid, `UID of ${type.kind}`);
    }
    this.#compile();
    this.#nameGenerated(found);
    this.#compile();
  }

  of(text: string): string {
    const named = text.replace(this.#pattern, (match) => this.#words.get(match) ?? match).replace(UUID, "UID");
    const own = named.replaceAll(this.#scenario.name, "NS").replace(TIME, "TIME");
    const random = own
      .replace(/0\/\d+ nodes are available: .*/, "0/N nodes are available: REASONS")
      .replace(/(kube-api-access)-[a-z0-9]{5}\b/g, "$1-RANDOM")
      .replace(MINUTE, "-MINUTE");
    return this.#scenario.comparesNodes === true ? random : random.replace(/\b(node|zone)-[ab]\b/g, "$1-ANY");
  }

  normal({ type, object }: Found): unknown {
    return normalObject(type, object, (text) => this.of(text));
  }

  /** Generated names are numbered in the order of what the objects say; pods' addresses are named after their pods. */
  #nameGenerated(found: readonly Found[]): void {
    const groups = new Map<string, { object: KubeObject; content: string }[]>();
    const company = companyOf(found);
    for (const each of found) {
      const prefix = generatedPrefix(each);
      if (prefix === undefined) continue;
      const group = groups.get(`${each.type.kind} ${prefix}`) ?? [];
      groups.set(`${each.type.kind} ${prefix}`, group);
      const alike = company.get(each.object.metadata?.uid ?? "") ?? "";
      group.push({ object: each.object, content: `${blurred(JSON.stringify(this.normal(each)))}${alike}` });
    }
    for (const [key, group] of groups) {
      const prefix = this.of(key.slice(key.indexOf(" ") + 1));
      group.sort((a, b) => (a.content < b.content ? -1 : 1));
      for (const [index, { object }] of group.entries()) {
        this.#words.set(object.metadata?.name ?? "", `${prefix}#${index + 1}`);
      }
    }
    this.#compile();
    for (const { type, object } of found) {
      const { name = "" } = object.metadata ?? {};
      this.#words.set(object.metadata?.uid ?? "", `UID of ${type.kind} ${this.of(name)}`);
      const ip = valueAt(object, "status.podIP");
      if (type.kind === "Pod" && typeof ip === "string") this.#words.set(ip, `IP of ${this.of(name)}`);
    }
  }

  #compile(): void {
    const texts = [...this.#words.keys()].filter((text) => text.length > 3).sort((a, b) => b.length - a.length);
    const escaped = texts.map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    this.#pattern = texts.length === 0 ? /(?!)/g : new RegExp(`(?<![a-z0-9])(?:${escaped.join("|")})(?![a-z0-9])`, "g");
  }
}

/** How many share a slice with a pod, by its uid: what tells apart pods that are alike but in slices of different size. */
function companyOf(found: readonly Found[]): Map<string, string> {
  const company = new Map<string, string>();
  for (const { type, object } of found) {
    const endpoints = type.kind === "EndpointSlice" ? valueAt(object, "endpoints") : undefined;
    if (!Array.isArray(endpoints)) continue;
    for (const endpoint of endpoints) company.set(String(valueAt(endpoint, "targetRef.uid")), `${endpoints.length}`);
  }
  return company;
}

/** Content without what is not named yet, to sort by. */
function blurred(content: string): string {
  return content
    .replace(/"(name|hostname|ip|podIP|addresses)":("[^"]*"|\[[^\]]*\])/g, "")
    .replace(/10\.244\.\d+\.\d+/g, "");
}

function generatedPrefix({ object }: Found): string | undefined {
  const { generateName, name = "" } = object.metadata ?? {};
  const owner = object.metadata?.ownerReferences?.[0];
  // Its pods have names of their own.
  if (owner?.kind === "StatefulSet") return undefined;
  if (generateName !== undefined && generateName !== "") return generateName;
  return new RegExp(`-${SUFFIX}{5}$`).test(name) ? name.slice(0, -5) : undefined;
}

const UUID = /\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g;
/** In the names of a CronJob's Jobs: minutes since 1970. */
const MINUTE = /-2\d{7}(?![0-9])/g;
const TIME = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;
/** Sets that the API lists in no particular order. */
const UNORDERED = new Set([
  "conditions",
  "endpoints",
  "addresses",
  "notReadyAddresses",
  "finalizers",
  "ownerReferences",
  "taints",
  "subsets",
]);
/** Kinds whose ports are a set as well: real controllers sort them by a hash. */
const UNORDERED_PORTS = new Set(["EndpointSlice", "Endpoints"]);
const DROPPED = new Set(["resourceVersion", "managedFields", "uid", "selfLink"]);
/** Known differences, told in docs/kubernetes-compatibility.md: measuring aids, and addresses that nodes bring along. */
const KNOWN = new Set(["endpoints.kubernetes.io/last-change-trigger-time", "podCIDR", "podCIDRs"]);
const RANDOM: Readonly<Record<string, string>> = {
  clusterIP: "CLUSTER-IP",
  nodePort: "NODE-PORT",
  healthCheckNodePort: "NODE-PORT",
  "ca.crt": "CERTIFICATE",
  token: "TOKEN",
  "controller-uid": "UID",
  "batch.kubernetes.io/controller-uid": "UID",
  "batch.kubernetes.io/cronjob-scheduled-timestamp": "TIME",
  "endpoints.kubernetes.io/last-change-trigger-time": "TIME",
};

function normalObject(type: ResourceType, object: KubeObject, word: (text: string) => string): unknown {
  const { generation, ownerReferences } = object.metadata ?? {};
  // How often a controller changed its own object on the way is not where it ended.
  const made = ownerReferences?.some(({ controller }) => controller === true) === true;

  const scalar = (value: unknown, key: string): unknown => {
    if (key === "observedGeneration" && made) return value === generation ? "LATEST" : value;
    const random = RANDOM[key];
    if (random !== undefined && value !== "None" && value !== "") return random;
    return typeof value === "string" ? word(value) : value;
  };
  const list = (values: readonly unknown[], key: string): unknown => {
    if (key === "clusterIPs") return values.map((ip) => (ip === "None" ? ip : "CLUSTER-IP"));
    const items = values.map((item) => visit(item, "", key));
    if (!UNORDERED.has(key) && !(key === "ports" && UNORDERED_PORTS.has(type.kind))) return items;
    return items.sort((a, b) => (JSON.stringify(sortedKeys(a)) < JSON.stringify(sortedKeys(b)) ? -1 : 1));
  };
  const visit = (value: unknown, key: string, inside: string): unknown => {
    if (Array.isArray(value)) return list(value, key);
    if (typeof value !== "object" || value === null) return scalar(value, key);
    const entries = Object.entries(value).filter(([name]) => {
      if (KNOWN.has(name) || (name === "generation" && key === "metadata" && inside === "" && made)) return false;
      return !DROPPED.has(name) || (name === "uid" && key !== "metadata");
    });
    const said = entries.map(([name, child]) => [word(name), visit(child, name, key)] as const);
    return Object.fromEntries(said.filter(([, child]) => !isNothing(child)));
  };
  const { kind: _kind, apiVersion: _apiVersion, ...rest } = object;
  return { apiVersion: `${type.group}/${type.version}`, ...(visit(rest, "", "") as object) };
}

/** What one encoder leaves out and another writes says the same. */
function isNothing(value: unknown): boolean {
  return value === null || value === undefined || (typeof value === "object" && Object.keys(value).length === 0);
}

/** They repair what another write is just about to do, when their round comes at that moment. */
const HOUSEKEEPING = new Set(["cidrAllocator", "ipallocator-repair-controller", "portallocator-repair-controller"]);
/** Two writers met; the news of a pod's end came before the answer to its own deletion. */
const TOLD_BY_CHANCE = ["the object has been modified; please apply your changes", "Cancelling deletion of Pod"];

/** One line an event, counted over objects that only differ in a generated name. */
function normalEvents(events: readonly Event[], words: Words, loose: boolean): string[] {
  const counts = new Map<string, number>();
  for (const event of events) {
    const { involvedObject, reason, message = "", type, source, reportingComponent, action } = event;
    const from = reportingComponent || source?.component;
    if (HOUSEKEEPING.has(from ?? "") || TOLD_BY_CHANCE.some((part) => message.includes(part))) continue;
    const text = `${type} ${reason} (${from}${action === undefined ? "" : `, ${action}`}) ${involvedObject.kind} ${involvedObject.name}: ${message.replace("(combined from similar events): ", "")}`;
    const line = words
      .of(blurNames(text))
      .replace(/0\/\d+ nodes are available: .*/, "0/N nodes are available: REASONS");
    counts.set(line, (counts.get(line) ?? 0) + (event.series?.count ?? event.count ?? 1));
  }
  return [...counts].map(([line, count]) => `${loose ? "some" : `${count}x`} ${line}`).sort();
}

function blurNames(text: string): string {
  return text
    .replace(new RegExp(`-${SUFFIX}{7,10}-${SUFFIX}{5}(?![a-z0-9])`, "g"), "-HASH-SUFFIX")
    .replace(new RegExp(`-${SUFFIX}{5}(?![a-z0-9])`, "g"), "-SUFFIX")
    .replace(new RegExp(`-${SUFFIX}{7,10}(?![a-z0-9])`, "g"), "-HASH")
    .replace(MINUTE, "-MINUTE");
}

function sortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedKeys);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, child]) => [key, sortedKeys(child)]));
}
