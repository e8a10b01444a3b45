// Tells each request's flow, as Kubernetes' API priority and fairness does: the first FlowSchema by precedence that
// matches, and its priority level. Answers name both. A user's rules are put together when the user is first seen, so
// that a request costs one look-up and, in a new cluster, at most a few comparisons.
import { subresourceOf } from "../auth/policy-rules.ts";
import type { JsonObject, RequestInfo, UserInfo } from "../contract.ts";
import { numberAt, stringAt } from "../json.ts";
import { resourceKey } from "../resource-kind.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { type RequestMatch, rulesOf } from "./flow-rules.ts";

/** Uids; "" of an object that the server stands in for while it is not there. */
export interface Flow {
  readonly schema: string;
  readonly level: string;
}

/** Requests of one flow, since the server began. */
export interface FlowCount {
  readonly schemaName: string;
  readonly levelName: string;
  count: number;
}

interface CountedFlow extends Flow {
  readonly counter: FlowCount;
}

export interface FlowClassifier {
  /** Undefined for connections that last: they are nobody's flow. Watches have one, for as long as they begin. */
  classify(user: UserInfo, info: RequestInfo): Flow | undefined;
  /** Of flows that had a request, by name. */
  counts(): readonly Readonly<FlowCount>[];
}

export const FLOW_GROUP = "flowcontrol.apiserver.k8s.io";
export const FLOW_SCHEMAS = resourceKey(FLOW_GROUP, "flowschemas");
export const PRIORITY_LEVELS = resourceKey(FLOW_GROUP, "prioritylevelconfigurations");

const EXEMPT = "exempt";
const CATCH_ALL = "catch-all";
/** What there is even while somebody has deleted it. */
export const MANDATORY: ReadonlySet<string> = new Set([EXEMPT, CATCH_ALL]);

const LASTING = new Set(["attach", "exec", "proxy", "log", "portforward"]);

const MOST_USERS = 1000;

interface Step {
  readonly flow: CountedFlow;
  readonly matches: RequestMatch;
}

/** In the order in which they are asked; ends with the first that matches everything. */
interface UserFlows {
  readonly resources: readonly Step[];
  readonly paths: readonly Step[];
}

interface Configuration {
  readonly schemas: readonly { readonly object: JsonObject; readonly flow: CountedFlow }[];
  readonly fallback: CountedFlow;
  readonly ofUser: WeakMap<UserInfo, UserFlows>;
  readonly byName: Map<string, UserFlows>;
}

/** Follows the FlowSchemas and PriorityLevelConfigurations of the store. */
export function createFlowClassifier(store: ObjectStore): FlowClassifier {
  let current: Configuration | undefined;
  const memory: Memory = { mandatoryLevels: new Map(), counters: new Map() };
  const forget = () => {
    current = undefined;
  };
  store.subscribe(forget, FLOW_SCHEMAS);
  store.subscribe(forget, PRIORITY_LEVELS);
  return {
    classify(user, info) {
      if (lasts(info)) return undefined;
      current ??= configurationOf(store, memory);
      const flow = flowOf(current, user, info);
      flow.counter.count += 1;
      return flow;
    },
    counts: () => [...memory.counters.values()].filter(({ count }) => count > 0),
  };
}

/** What outlives a change of the configuration. */
interface Memory {
  /** Uids of those that must be there, by name: a deleted one stays in force. */
  readonly mandatoryLevels: Map<string, string>;
  readonly counters: Map<string, FlowCount>;
}

function flowOf(configuration: Configuration, user: UserInfo, info: RequestInfo): CountedFlow {
  const flows = flowsOf(configuration, user);
  for (const { flow, matches } of info.isResource ? flows.resources : flows.paths) {
    if (matches === undefined || matches(info)) return flow;
  }
  return configuration.fallback;
}

function counterOf({ counters }: Memory, schemaName: string, levelName: string): FlowCount {
  const key = `${schemaName}/${levelName}`;
  const counter = counters.get(key) ?? { schemaName, levelName, count: 0 };
  counters.set(key, counter);
  return counter;
}

function lasts(info: RequestInfo): boolean {
  if (info.verb === "watch" || info.verb === "proxy") return info.verb === "proxy";
  if (!info.isResource) return info.path.startsWith("/debug/pprof/");
  return info.subresource !== "" && LASTING.has(subresourceOf(info));
}

function configurationOf(store: ObjectStore, memory: Memory): Configuration {
  const { mandatoryLevels } = memory;
  const levels = new Map(store.list(PRIORITY_LEVELS).map((level) => [nameOf(level), uidOf(level)]));
  for (const name of MANDATORY) mandatoryLevels.set(name, levels.get(name) ?? mandatoryLevels.get(name) ?? "");
  // One whose level is not there is as if it were not there itself.
  const schemas = store.list(FLOW_SCHEMAS).flatMap((object) => {
    const levelName = stringAt(object, "spec", "priorityLevelConfiguration", "name");
    const level = levels.get(levelName);
    const counter = counterOf(memory, nameOf(object), levelName);
    return level === undefined ? [] : [{ object, flow: { schema: uidOf(object), level, counter } }];
  });
  schemas.sort((a, b) => before(a.object, b.object));
  const find = (name: string) => schemas.find(({ object }) => nameOf(object) === name);
  const standIn = (name: string): CountedFlow => ({
    schema: "",
    level: mandatoryLevels.get(name) ?? "",
    counter: counterOf(memory, name, name),
  });
  if (find(EXEMPT) === undefined) schemas.unshift({ object: EXEMPT_STAND_IN, flow: standIn(EXEMPT) });
  const fallback = find(CATCH_ALL)?.flow ?? standIn(CATCH_ALL);
  return { schemas, fallback, ofUser: new WeakMap(), byName: new Map() };
}

const nameOf = (object: JsonObject) => stringAt(object, "metadata", "name");
const uidOf = (object: JsonObject) => stringAt(object, "metadata", "uid");

const EXEMPT_STAND_IN: JsonObject = {
  metadata: { name: EXEMPT },
  spec: {
    rules: [
      {
        subjects: [{ kind: "Group", group: { name: "system:masters" } }],
        resourceRules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"], clusterScope: true, namespaces: ["*"] }],
        nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
      },
    ],
  },
};

const precedenceOf = (schema: JsonObject) => numberAt(schema, "spec", "matchingPrecedence") ?? 0;

const before = (a: JsonObject, b: JsonObject) => precedenceOf(a) - precedenceOf(b) || (nameOf(a) < nameOf(b) ? -1 : 1);

/** A certificate's user stays one object; tokens and impersonation make new ones for each request. */
function flowsOf(configuration: Configuration, user: UserInfo): UserFlows {
  const known = configuration.ofUser.get(user);
  if (known !== undefined) return known;
  const { byName } = configuration;
  const key = JSON.stringify([user.username, user.groups]);
  const flows = byName.get(key) ?? compile(configuration, user);
  if (byName.size >= MOST_USERS) byName.clear();
  byName.set(key, flows);
  configuration.ofUser.set(user, flows);
  return flows;
}

function compile({ schemas }: Configuration, user: UserInfo): UserFlows {
  const own = schemas.flatMap(({ object, flow }) => {
    const rules = rulesOf(object, user);
    return rules === undefined ? [] : [{ rules, flow }];
  });
  const stepsOf = (part: "resources" | "paths"): Step[] => {
    const steps = own.flatMap(({ rules, flow }) => rules[part].map((matches) => ({ flow, matches })));
    const last = steps.findIndex(({ matches }) => matches === undefined);
    return last < 0 ? steps : steps.slice(0, last + 1);
  };
  return { resources: stepsOf("resources"), paths: stepsOf("paths") };
}
