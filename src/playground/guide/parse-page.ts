// Reads the commands of a page: Hugo blocks as Istio's documentation has them, or fenced Markdown blocks. A line that
// begins with `$ ` is a command; what follows it in the block is a sample of its answer.

export interface PageCommand {
  /** Line of the page on which the command begins, from 1. */
  readonly line: number;
  /** The shell text, prompts and file markers (@file@) removed. */
  readonly text: string;
  /** The sample answer printed below it; empty when the page shows none. */
  readonly sample: readonly string[];
}

const BLOCK_START = /^(\{\{<\s*text\s+bash\b.*>\}\}|```(bash|sh|shell|console)\s*)$/;
const BLOCK_END = /^(\{\{<\s*\/text\s*>\}\}|```)\s*$/;
const HEREDOC = /<<-?\s*['"]?(\w+)['"]?/;

/** All commands of a page in their order. A heredoc that never ends is an error of the page. */
export function parsePage(text: string): PageCommand[] {
  const lines = text.split("\n");
  const commands: PageCommand[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    if (!BLOCK_START.test(lines[index]?.trim() ?? "")) continue;
    const end = lines.findIndex((line, at) => at > index && BLOCK_END.test(line.trim()));
    if (end < 0) throw new Error(`the block that begins on line ${index + 1} never ends`);
    commands.push(...parseBlock(lines.slice(index + 1, end), index + 2));
    index = end;
  }
  return commands;
}

function parseBlock(lines: readonly string[], firstLine: number): PageCommand[] {
  const commands: PageCommand[] = [];
  for (let index = 0; index < lines.length; ) {
    if (!lines[index]?.startsWith("$ ")) {
      index += 1;
      continue;
    }
    const commandEnd = endOfCommand(lines, index, firstLine);
    const nextPrompt = lines.findIndex((line, at) => at >= commandEnd && line.startsWith("$ "));
    const sampleEnd = nextPrompt < 0 ? lines.length : nextPrompt;
    commands.push({
      line: firstLine + index,
      text: withoutFileMarkers([lines[index]?.slice(2) ?? "", ...lines.slice(index + 1, commandEnd)].join("\n")),
      sample: lines.slice(commandEnd, sampleEnd).filter((line) => line.trim() !== ""),
    });
    index = sampleEnd;
  }
  return commands;
}

/** Index after the last line of the command: a backslash or an open heredoc carries it on. */
function endOfCommand(lines: readonly string[], start: number, firstLine: number): number {
  let index = start;
  let delimiter: string | undefined;
  for (; index < lines.length; index += 1) {
    const line = lines[index] ?? "";
    if (delimiter !== undefined) {
      if (line.trim() === delimiter) return index + 1;
      continue;
    }
    delimiter = HEREDOC.exec(line)?.[1];
    if (delimiter === undefined && !line.endsWith("\\")) return index + 1;
  }
  if (delimiter !== undefined)
    throw new Error(`the heredoc ${delimiter} of the command on line ${firstLine + start} never ends`);
  return index;
}

/** `@samples/x.yaml@` marks a file of the release: the page's readers see the bare path. */
function withoutFileMarkers(text: string): string {
  return text.replace(/@([\w./-]+)@/g, "$1");
}
