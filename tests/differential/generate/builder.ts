// How areas write their sequences: steps get numbers, kinds get paths, names come from small pools.
import { builtinKinds } from "../../../src/playground/api-server/gen/kinds.ts";
import type { Body, Json, JsonMap, Step, Until, WatchPlan } from "../step.ts";
import { clusterTemplates } from "../templates/cluster.ts";
import { coreTemplates } from "../templates/core.ts";
import { deviceTemplates } from "../templates/devices.ts";
import type { Template } from "../templates/template.ts";
import { workloadTemplates } from "../templates/workloads.ts";
import type { Random } from "./random.ts";

export interface Kind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly subresources: readonly string[];
}

export interface TemplateKind extends Kind {
  /** Full name of its schema. */
  readonly definition: string;
  readonly template: Template;
}

const templates: Readonly<Record<string, Template>> = {
  ...coreTemplates,
  ...workloadTemplates,
  ...clusterTemplates,
  ...deviceTemplates,
};

/** Every stored built-in kind and version that has a template. */
export const KINDS: readonly TemplateKind[] = builtinKinds.flatMap((row) => {
  const template = templates[`${row.group}/${row.kind}`];
  return template === undefined || !row.stored
    ? []
    : [{ ...row, subresources: row.subresources.map(({ name }) => name), template }];
});

export const builtin = (group: string, kind: string): TemplateKind => {
  const found = KINDS.find((candidate) => candidate.group === group && candidate.kind === kind);
  if (found === undefined) throw new Error(`no template for ${group}/${kind}`);
  return found;
};

/** Kinds whose objects may be made by any sequence under any name. */
export const FREE_KINDS = KINDS.filter(({ template }) => template.fixedNames !== true);

const SERVED_BY_THE_SERVER = new Set(["FlowSchema", "PriorityLevelConfiguration", "APIService"]);

/** Those whose objects a real server leaves alone; it writes the status of the others when it gets to it. */
export const QUIET_KINDS = FREE_KINDS.filter(({ kind }) => !SERVED_BY_THE_SERVER.has(kind));

export const apiVersionOf = ({ group, version }: Kind) => (group === "" ? version : `${group}/${version}`);

export interface StepOptions {
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly body?: Body;
  readonly until?: Until;
  readonly watch?: WatchPlan;
  readonly ownOnly?: boolean;
  readonly verb?: string;
  readonly kindName?: string;
}

const NAMES = ["a", "b", "c"];

function nameIn(kind: Kind | TemplateKind, word: string): string {
  if ("template" in kind && kind.template.nameOf !== undefined) return kind.template.nameOf(word);
  return kind.namespaced ? word : `${word}-{{seq}}`;
}

export class SequenceBuilder {
  readonly random: Random;
  readonly steps: Step[] = [];

  constructor(random: Random) {
    this.random = random;
  }

  /** Adds a request; returns its number. */
  send(method: string, path: string, options: StepOptions = {}): number {
    const { query = {}, verb = method.toLowerCase(), kindName = "path", ...rest } = options;
    const id = this.steps.length;
    const pairs = Object.entries(query).flatMap(([key, value]) =>
      value === undefined ? [] : [`${key}=${encode(String(value))}`],
    );
    const separator = path.includes("?") ? "&" : "?";
    const whole = pairs.length === 0 ? path : `${path}${separator}${pairs.join("&")}`;
    this.steps.push({ id, method, path: whole, verb, kind: kindName, ...rest });
    return id;
  }

  /** The sequence's namespace with what a controller manager would put there: every sequence begins so. */
  namespace(more: JsonMap = {}): void {
    const labels = { differential: "{{seq}}", ...more };
    const body: Json = { apiVersion: "v1", kind: "Namespace", metadata: { name: "{{ns}}", labels } };
    this.send("POST", "/api/v1/namespaces", { body: { json: body }, verb: "create", kindName: "Namespace" });
    const account: Json = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } };
    this.send("POST", "/api/v1/namespaces/{{ns}}/serviceaccounts", {
      body: { json: account },
      verb: "create",
      kindName: "ServiceAccount",
    });
  }

  name(kind: Kind): string {
    return nameIn(kind, this.random.pick(NAMES));
  }

  /** All three names, for loops. */
  names(kind: Kind): string[] {
    return NAMES.map((word) => nameIn(kind, word));
  }

  object(kind: TemplateKind, name: string, more: JsonMap = {}): JsonMap {
    const { metadata, ...rest } = more;
    const { random } = this;
    const labels: JsonMap = {
      ...(random.chance(0.7) ? { app: random.pick(["a", "b"]) } : {}),
      ...(random.chance(0.3) ? { tier: random.pick(["x", "y"]) } : {}),
      ...(kind.namespaced ? {} : { differential: "{{seq}}" }),
    };
    return {
      apiVersion: apiVersionOf(kind),
      kind: kind.kind,
      metadata: {
        name,
        ...(Object.keys(labels).length > 0 ? { labels } : {}),
        ...(random.chance(0.2) ? { annotations: { note: random.pick(["one", "two"]) } } : {}),
        ...(metadata as JsonMap),
      },
      ...kind.template.make(random),
      ...rest,
    };
  }

  collection(kind: Kind): string {
    const root = kind.group === "" ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
    return kind.namespaced ? `${root}/namespaces/{{ns}}/${kind.plural}` : `${root}/${kind.plural}`;
  }

  at(kind: Kind, name: string, subresource = ""): string {
    return `${this.collection(kind)}/${name}${subresource === "" ? "" : `/${subresource}`}`;
  }

  create(kind: TemplateKind, name: string, options: StepOptions & { more?: JsonMap } = {}): number {
    const { more, ...rest } = options;
    const body = rest.body ?? { json: this.object(kind, name, more) };
    const made = this.send("POST", this.collection(kind), { verb: "create", kindName: kind.kind, ...rest, body });
    this.#settle(kind, name === "" ? `{{${made}:metadata.name}}` : name);
    return made;
  }

  get(kind: Kind, name: string, options: StepOptions = {}): number {
    return this.send("GET", this.at(kind, name), { verb: "get", kindName: kind.kind, ...options });
  }

  /** Of the cluster's own kinds only the sequence's objects are listed: other sequences run beside it. */
  list(kind: Kind, options: StepOptions = {}): number {
    return this.send("GET", this.collection(kind), {
      verb: "list",
      kindName: kind.kind,
      ...options,
      query: this.#ownOnly(kind, options.query ?? {}),
    });
  }

  watch(kind: Kind, watch: WatchPlan, options: StepOptions = {}): number {
    const query = this.#ownOnly(kind, { watch: 1, timeoutSeconds: 60, ...options.query });
    return this.send("GET", this.collection(kind), { verb: "watch", kindName: kind.kind, ...options, query, watch });
  }

  #ownOnly(kind: Kind, query: Readonly<Record<string, string | number | undefined>>) {
    if (kind.namespaced) return query;
    const own = "differential={{seq}}";
    const { labelSelector } = query;
    return {
      ...query,
      labelSelector: labelSelector === undefined || labelSelector === "" ? own : `${labelSelector},${own}`,
    };
  }

  /** Replaces what step `read` answered, changed. */
  update(kind: Kind, name: string, change: { of: number; edit: JsonMap }, options: StepOptions = {}): number {
    const body: Body = { copyOf: change.of, edit: change.edit };
    const put = this.send("PUT", this.at(kind, name), { verb: "update", kindName: kind.kind, body, ...options });
    this.#settle(kind, name);
    return put;
  }

  /** Puts a whole object where another one is. */
  replace(kind: Kind, name: string, json: JsonMap): number {
    const put = this.send("PUT", this.at(kind, name), { verb: "update", kindName: kind.kind, body: { json } });
    this.#settle(kind, name);
    return put;
  }

  patch(
    kind: Kind,
    name: string,
    patch: { type: PatchType; body: Json; subresource?: string },
    options: StepOptions = {},
  ): number {
    const patched = this.send("PATCH", this.at(kind, name, patch.subresource), {
      verb: `patch-${patch.type}`,
      kindName: kind.kind,
      body: { json: patch.body },
      ...options,
      headers: { "content-type": CONTENT_TYPES[patch.type], ...options.headers },
    });
    this.#settle(kind, name);
    return patched;
  }

  /** Both servers write the status of a FlowSchema a moment after others wrote it: until then versions are chance. */
  #settle(kind: Kind, name: string): void {
    if (kind.kind === "FlowSchema") this.get(kind, name, { until: { lacks: '"status":{}' }, verb: "await-status" });
  }

  delete(kind: Kind, name: string, options: StepOptions = {}): number {
    return this.send("DELETE", this.at(kind, name), { verb: "delete", kindName: kind.kind, ...options });
  }
}

export type PatchType = "json" | "merge" | "strategic" | "apply";

export const CONTENT_TYPES: Readonly<Record<PatchType, string>> = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
};

/** Leaves placeholders alone: they are encoded when they are filled. */
function encode(text: string): string {
  return text
    .split(/(\{\{[^}]*\}\})/)
    .map((part) => (part.startsWith("{{") ? part : encodeURIComponent(part)))
    .join("");
}
