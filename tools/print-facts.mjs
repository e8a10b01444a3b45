// The frame of a tool that finds or makes something and says where it is: `-o json|text`, `--help`, exit codes 0, 1, 2.
import { parseArgs } from "node:util";

/**
 * Prints what `make` gives, as JSON or by `text`. `explain` gives one sentence about an error, or undefined for one that
 * is nobody's fault but the tool's.
 */
export async function printFacts({ name, help, make, text, explain }) {
  const say = (sentence) => process.stderr.write(`${name}: ${sentence}\n`);
  const options = readOptions((sentence) => say(`${sentence}\n${help}`));
  if (options.help) {
    process.stdout.write(help);
    return;
  }
  try {
    const facts = await make();
    process.stdout.write(`${options.output === "json" ? JSON.stringify(facts, undefined, 2) : text(facts)}\n`);
  } catch (error) {
    const sentence = explain(error);
    if (sentence === undefined) throw error;
    say(sentence);
    process.exit(1);
  }
}

function readOptions(refuse) {
  try {
    const { values } = parseArgs({
      options: { output: { type: "string", short: "o", default: "text" }, help: { type: "boolean", short: "h" } },
    });
    if (!["text", "json"].includes(values.output)) throw new Error(`unknown output ${values.output}: text or json`);
    return values;
  } catch (error) {
    refuse(error.message);
    return process.exit(2);
  }
}
