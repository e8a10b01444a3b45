// A pod that is to have other amounts of cpu and memory while it runs: whether this node can give them, and giving them.
import type { Container, Pod, PodCondition } from "#api/kubernetes/gen/types";
import { parseQuantity } from "../container/quantity.ts";
import type { PodEvent } from "../node-api.ts";
import { type Admitting, podRequests, RESOURCE_SCALES, type Refusal, shortage } from "./pod-admission.ts";

/** What of a container can be given other amounts. */
export interface Resizable {
  readonly name: string;
  /** What it has, or begins with. */
  readonly container: Container;
  /** Gives it the amounts of `container`; answers why the machine refused. */
  resize(container: Container): string | undefined;
}

export interface PodResize {
  /** What is still to be told of it; its times are the teller's. */
  readonly condition: Pick<PodCondition, "type" | "reason" | "message"> | undefined;
  readonly events: readonly PodEvent[];
}

const DONE: PodResize = { condition: undefined, events: [] };

/** Undefined when nothing is to change. */
export function resizePod(pod: Pod, members: readonly Resizable[], admitting: Admitting): PodResize | undefined {
  const wanted = wantedContainers(pod);
  const changed = members.filter((member) => {
    const container = wanted.get(member.name);
    return container !== undefined && amountsOf(container) !== amountsOf(member.container);
  });
  if (changed.length === 0) return undefined;
  const pending = whyPending(pod, admitting);
  if (pending !== undefined)
    return { condition: { type: "PodResizePending", ...pending }, events: [told(pod, pending)] };
  const started: PodEvent = { type: "Normal", reason: "ResizeStarted", message: summary(pod, "Pod resize started") };
  const faults = changed.flatMap((member) => {
    const container = wanted.get(member.name);
    return (container && member.resize(container)) ?? [];
  });
  if (faults.length === 0) {
    const message = summary(pod, "Pod resize completed");
    return { ...DONE, events: [started, { type: "Normal", reason: "ResizeCompleted", message }] };
  }
  const message = faults.join("; ");
  const error: PodEvent = {
    type: "Warning",
    reason: "ResizeError",
    message: summary(pod, "Pod resize error", message),
  };
  return { condition: { type: "PodResizeInProgress", reason: "Error", message }, events: [started, error] };
}

export interface ResizerContext extends Pick<Admitting, "allocatable" | "labels"> {
  /** The pods beside it that the node has given resources to. */
  readonly others: () => readonly Pod[];
  readonly record: (event: PodEvent) => void;
}

/** One pod's resources over time. */
export class PodResizer {
  /** What its status tells of resources that it has not got. */
  condition: PodResize["condition"];
  readonly #context: ResizerContext;
  #told = "[]";

  constructor(context: ResizerContext) {
    this.#context = context;
  }

  /** True when something came of it. */
  look(pod: Pod, members: readonly Resizable[]): boolean {
    const { others, record, ...admitting } = this.#context;
    const outcome = resizePod(pod, members, { ...admitting, others: others() });
    const told = JSON.stringify(outcome?.events ?? []);
    // What waits comes to the same at every look.
    if (told === this.#told) return false;
    this.#told = told;
    this.condition = outcome?.condition;
    for (const event of outcome?.events ?? []) record(event);
    return true;
  }
}

/** Whether the amounts that changed are to be had by a restart of the container only. */
export function needsRestart(before: Container, after: Container): boolean {
  const policies = after.resizePolicy ?? [];
  return policies.some(({ resourceName, restartPolicy }) => {
    if (restartPolicy !== "RestartContainer") return false;
    return amountsOf(before, resourceName) !== amountsOf(after, resourceName);
  });
}

function wantedContainers({ spec }: Pod): Map<string, Container> {
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  return new Map([...sidecars, ...(spec?.containers ?? [])].map((container) => [container.name, container]));
}

function amountsOf({ resources }: Container, ...only: readonly string[]): string {
  const names = only.length > 0 ? only : Object.keys(RESOURCE_SCALES);
  const amount = (list: Readonly<Record<string, string | number>> | undefined, name: string) => {
    const quantity = list?.[name];
    return quantity === undefined ? null : parseQuantity(quantity);
  };
  return JSON.stringify(names.map((name) => [amount(resources?.requests, name), amount(resources?.limits, name)]));
}

/** More than the node has will never be; more than is left may be later. */
function whyPending(pod: Pod, admitting: Admitting): Refusal | undefined {
  for (const name of ["memory", "cpu"]) {
    const units = (amount: number) => Math.ceil(amount * (RESOURCE_SCALES[name] ?? 1));
    const [requested, capacity] = [
      units(podRequests(pod, name)),
      units(parseQuantity(admitting.allocatable[name] ?? 0)),
    ];
    if (requested <= capacity) continue;
    const message = `Node didn't have enough capacity: ${name}, requested: ${requested}, capacity: ${capacity}`;
    return { reason: "Infeasible", message };
  }
  const lack = shortage(pod, admitting);
  return lack && { reason: "Deferred", message: lack.message };
}

function told(pod: Pod, { reason, message }: Refusal): PodEvent {
  return { type: "Warning", reason: `Resize${reason}`, message: summary(pod, `Pod resize ${reason}`, message) };
}

function summary({ metadata, spec }: Pod, prefix: string, error?: string): string {
  const list = (containers: readonly Container[] = []) =>
    containers.map(({ name, resources = {} }) => ({ name, resources }));
  const init = list(spec?.initContainers);
  const facts = {
    ...(init.length > 0 ? { initContainers: init } : {}),
    containers: list(spec?.containers),
    generation: metadata?.generation ?? 0,
    ...(error === undefined ? {} : { error }),
  };
  return `${prefix}: ${JSON.stringify(facts)}`;
}
