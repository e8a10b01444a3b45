// The flags of a tool: `--help` says what it does, with an example, and ends with 0; a mistake is one sentence and ends
// with 2. Needs no package, for set-up reads its flags too.
import { parseArgs } from "node:util";

/**
 * What `convert` makes of the flags and positional arguments. What it throws is the user's mistake, told as a sentence.
 * `options` are those of Node's parseArgs; `--help` is always there. Ends the process where there is nothing to do.
 */
export function readFlags({ name, help, args, options = {}, positionals = false, convert = (read) => read }) {
  try {
    const read = parseArgs({
      ...(args === undefined ? {} : { args }),
      options: { ...options, help: { type: "boolean", short: "h" } },
      allowPositionals: positionals,
    });
    if (!read.values.help) return convert(read);
    process.stdout.write(help);
  } catch (error) {
    process.stderr.write(`${name}: ${sentenceOf(error)}; --help says more\n`);
    process.exit(2);
  }
  return process.exit(0);
}

/** Without Node's advice on arguments that begin with a dash. */
function sentenceOf({ code, message }) {
  if (!String(code).startsWith("ERR_PARSE_ARGS")) return message;
  const [sentence] = message.split(/\.\s/);
  return `${sentence[0].toLowerCase()}${sentence.slice(1)}`;
}

/** The whole number of a flag. Throws for other text, and for less than `least`. */
export function numberOf(flag, text, least = 1) {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
  throw new Error(`${flag} ${text} is no whole number from ${least} on`);
}

/** The value of a flag that has only these. Throws for another. */
export function oneOf(flag, text, known) {
  if (known.includes(text)) return text;
  throw new Error(`${flag} ${text} is unknown: ${known.join(" or ")}`);
}
