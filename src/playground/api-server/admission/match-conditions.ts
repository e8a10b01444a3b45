// Conditions in CEL by which a webhook or a policy leaves requests alone.

import type { CelType } from "../cel/cel-type.ts";
import { type Compiled, compileExpression } from "../cel/compile.ts";
import type { Bindings } from "../cel/program.ts";
import type { JsonObject } from "../contract.ts";
import { objectsAt, stringAt } from "../json.ts";

const compiled = new WeakMap<Readonly<Record<string, CelType>>, Map<string, Compiled>>();

/** An expression compiled once for the same variables, whoever asks. */
export function compiledOnce(text: string, variables: Readonly<Record<string, CelType>>): Compiled {
  const known = compiled.get(variables) ?? new Map<string, Compiled>();
  compiled.set(variables, known);
  let found = known.get(text);
  if (found === undefined) {
    found = compileExpression(text, variables);
    known.set(text, found);
  }
  return found;
}

/** Whether every condition holds. One that is false wins over one that fails; throws when one fails and none is false. */
export function conditionsHold(
  of: JsonObject,
  variables: Readonly<Record<string, CelType>>,
  bindings: () => Bindings,
): boolean {
  const conditions = objectsAt(of, "matchConditions");
  if (conditions.length === 0) return true;
  const values = bindings();
  let failure: Error | undefined;
  for (const condition of conditions) {
    try {
      const { program, issues } = compiledOnce(stringAt(condition, "expression"), variables);
      if (program === undefined) throw new Error(`compilation failed: ${issues}`);
      if (program.run(values) !== true) return false;
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      failure ??= new Error(`expression '${stringAt(condition, "expression")}' resulted in error: ${why}`);
    }
  }
  if (failure !== undefined) throw failure;
  return true;
}
