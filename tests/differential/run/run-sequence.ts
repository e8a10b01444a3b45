// One sequence against two servers, step by step and both at once.
import type { Answer, Json, Sequence, Step, Until } from "../step.ts";
import { compare, type Difference } from "./compare.ts";
import { type Answered, type Filling, isMap, parse, requestOf, type WebhookAddress } from "./fill-in.ts";
import { createNormaliser, type NormalAnswer } from "./normalise.ts";
import type { OpenWatch, Target } from "./target.ts";

export interface StepResult {
  readonly step: Step;
  readonly real: NormalAnswer;
  readonly embedded: NormalAnswer;
  readonly differences: readonly Difference[];
}

export interface SequenceResult {
  /** Every step that was compared; the run ends early when one server did what the other refused. */
  readonly results: readonly StepResult[];
  readonly requests: number;
}

export interface Pair {
  readonly real: Target;
  readonly embedded: Target;
  readonly webhook: WebhookAddress;
}

export interface RunSequenceOptions {
  readonly pair: Pair;
  /** Stands for `{{seq}}`: never used before on these servers. */
  readonly name: string;
  /** Called after each step; true ends the sequence. */
  readonly stopAfter?: (result: StepResult) => boolean;
}

const UNTIL_SECONDS = 20;
const QUIET_MS = 12_000;

export async function runSequence(sequence: Sequence, options: RunSequenceOptions): Promise<SequenceResult> {
  const { pair, name } = options;
  const real = new Side(pair.real, name, pair.webhook);
  const embedded = new Side(pair.embedded, name, pair.webhook);
  const results: StepResult[] = [];
  let requests = 0;
  try {
    for (const step of sequence.steps) {
      const [a, b] = await Promise.all([real.take(step), embedded.take(step)]);
      requests += 1;
      if (a === undefined || b === undefined) continue;
      const result = { step, real: a, embedded: b, differences: compare(a, b) };
      results.push(result);
      if (options.stopAfter?.(result) === true || a.status < 300 !== b.status < 300) break;
    }
  } finally {
    real.close();
    embedded.close();
  }
  return { results, requests };
}

class Side {
  readonly #target: Target;
  readonly #filling: Filling;
  readonly #answers = new Map<number, Answered>();
  readonly #watches = new Map<string, OpenWatch>();
  readonly #normaliser;

  constructor(target: Target, name: string, webhook: WebhookAddress) {
    this.#target = target;
    this.#filling = { seq: name, answers: this.#answers, webhook };
    this.#normaliser = createNormaliser(target.url, target.flows);
  }

  /** Undefined: nothing to compare yet. */
  async take(step: Step): Promise<NormalAnswer | undefined> {
    const answer = await this.#answer(step);
    if (answer === undefined) return undefined;
    this.#answers.set(step.id, { kind: step.kind, answer });
    return this.#normaliser.normalise(step.ownOnly === true ? withoutOthers(answer, this.#filling.seq) : answer);
  }

  async #answer(step: Step): Promise<Answer | undefined> {
    const plan = step.watch;
    if (plan?.collect !== undefined) {
      const open = this.#watches.get(plan.collect);
      this.#watches.delete(plan.collect);
      if (open === undefined) return { status: 0, headers: {}, text: "", failure: "no such watch" };
      return open.collect(isEvent(this.#fill(plan.endsAt)), QUIET_MS);
    }
    const request = requestOf(step, this.#filling);
    if (plan?.open !== undefined) {
      this.#watches.set(plan.open, await this.#target.watch(request));
      return undefined;
    }
    if (plan !== undefined) {
      const open = await this.#target.watch(request);
      return open.collect(isEvent(this.#fill(plan.endsAt)), QUIET_MS);
    }
    const until = this.#until(step);
    const deadline = Date.now() + (until?.seconds ?? UNTIL_SECONDS) * 1000;
    for (;;) {
      const answer = await this.#target.send(request);
      if (satisfies(until, answer) || Date.now() > deadline) return answer;
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
  }

  #until({ until }: Step): Until | undefined {
    if (until === undefined || !this.#hasReason(until)) return undefined;
    const { contains, lacks } = until;
    return {
      ...until,
      ...(contains === undefined ? {} : { contains: this.#fill(contains) }),
      ...(lacks === undefined ? {} : { lacks: this.#fill(lacks) }),
    };
  }

  #hasReason({ after }: Until): boolean {
    if (after === undefined) return true;
    const status = this.#answers.get(after)?.answer.status ?? 0;
    return status >= 200 && status < 300;
  }

  #fill(text: string): string {
    return (
      requestOf({ id: -1, method: "", path: "", headers: { name: text }, verb: "", kind: "" }, this.#filling).headers[
        "name"
      ] ?? ""
    );
  }

  close(): void {
    for (const watch of this.#watches.values()) watch.close();
  }
}

/** Of OpenAPI: what belongs to groups of other sequences comes and goes meanwhile. */
function withoutOthers(answer: Answer, seq: string): Answer {
  const document = parse(answer.text);
  if (!isMap(document)) return answer;
  const isOther = (key: string) => key.includes("example") && !key.includes(`g${seq}`);
  const parts = Object.entries(document).map(([part, value]) => {
    if (!isMap(value) || (part !== "paths" && part !== "definitions")) return [part, value];
    return [part, Object.fromEntries(Object.entries(value).filter(([key]) => !isOther(key)))];
  });
  return { ...answer, text: JSON.stringify(Object.fromEntries(parts)) };
}

function satisfies(until: Until | undefined, answer: Answer): boolean {
  if (until === undefined) return true;
  const text = JSON.stringify(answer.headers) + answer.text;
  if (until.status !== undefined && answer.status !== until.status) return false;
  if (until.contains !== undefined && !text.includes(until.contains)) return false;
  return until.lacks === undefined || !text.includes(until.lacks);
}

const isEvent = (name: string) => (event: Json) => {
  if (!isMap(event) || event["type"] === "ERROR") return isMap(event);
  if (name === "BOOKMARK") return event["type"] === "BOOKMARK";
  const object = event["object"];
  const metadata = isMap(object) ? object["metadata"] : undefined;
  if (isMap(metadata) && metadata["name"] === name) return true;
  const rows = isMap(object) ? object["rows"] : undefined;
  return Array.isArray(rows) && JSON.stringify(rows).includes(`"${name}"`);
};
