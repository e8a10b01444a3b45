// A custom resource in another version of its kind. Code that needs one runs at once and again: where a webhook has to be
// asked first, `whenConverted` stops the run, asks, and runs it anew with the answer.
import { ApiStatusError, type JsonObject } from "../contract.ts";
import { stringAt } from "../json.ts";
import { parseApiVersion, type ResourceKind } from "../resource-kind.ts";
import type { ConversionCall } from "./conversion-review.ts";

/** Asks a webhook. Throws ApiStatusError. */
export type Converter = (call: ConversionCall) => Promise<JsonObject>;

/** What webhooks answered for one request, by what was asked. */
export type Conversions = Map<string, JsonObject>;

/** The answers that the code of this very moment may use. */
let current: Conversions | undefined;

class Unconverted extends Error {
  readonly call: ConversionCall;

  constructor(call: ConversionCall) {
    super("a webhook has to be asked first");
    this.call = call;
  }
}

const keyOf = ({ object, wanted }: ConversionCall) => `${wanted} ${JSON.stringify(object)}`;

/** Runs `run`, which changes nothing, until every conversion that it needs is there. */
export async function whenConverted<T>(
  converter: Converter,
  run: () => T,
  conversions: Conversions = new Map(),
): Promise<T> {
  for (;;) {
    try {
      return runWith(conversions, run);
    } catch (thrown) {
      if (!(thrown instanceof Unconverted)) throw thrown;
      conversions.set(keyOf(thrown.call), await converter(thrown.call));
    }
  }
}

function runWith<T>(conversions: Conversions, run: () => T): T {
  current = conversions;
  try {
    return run();
  } finally {
    current = undefined;
  }
}

/** The object in the version of `apiVersion`, as the definition's strategy makes it. Throws ApiStatusError. */
export function convertCustom(kind: ResourceKind, object: JsonObject, apiVersion: string): JsonObject {
  const from = stringAt(object, "apiVersion");
  if (from === apiVersion) return object;
  refuseUnknown(kind, apiVersion, "to");
  refuseUnknown(kind, from, "from");
  const webhook = kind.custom?.conversion;
  const isEmpty = Object.keys(object).every((key) => key === "apiVersion" || key === "kind");
  if (webhook === undefined || isEmpty) return { ...object, apiVersion };
  const call = { webhook, object, wanted: apiVersion };
  const known = current?.get(keyOf(call));
  if (known === undefined) throw new Unconverted(call);
  return structuredClone(known);
}

function refuseUnknown({ group, custom }: ResourceKind, apiVersion: string, which: string): void {
  const given = parseApiVersion(apiVersion);
  if (given.group === group && custom?.forms?.has(given.version) !== false) return;
  throw new ApiStatusError(500, "", `request to convert CR ${which} an invalid group/version: ${apiVersion}`);
}
