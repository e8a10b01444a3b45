// The frame of a tool that finds or makes something and says where it is: `-o json|text`, `--help`, exit codes 0, 1, 2.
import { oneOf, readFlags } from "./read-flags.mjs";

/**
 * Prints what `make` gives, as JSON or by `text`. `explain` gives one sentence about an error, or undefined for one that
 * is nobody's fault but the tool's.
 */
export async function printFacts({ name, help, make, text, explain }) {
  const say = (sentence) => process.stderr.write(`${name}: ${sentence}\n`);
  const output = readFlags({
    name,
    help,
    options: { output: { type: "string", short: "o", default: "text" } },
    convert: ({ values }) => oneOf("-o", values.output, ["text", "json"]),
  });
  try {
    const facts = await make();
    process.stdout.write(`${output === "json" ? JSON.stringify(facts, undefined, 2) : text(facts)}\n`);
  } catch (error) {
    const sentence = explain(error);
    if (sentence === undefined) throw error;
    say(sentence);
    process.exit(1);
  }
}
