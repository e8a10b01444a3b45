/** One word for a POSIX shell, whatever characters it has. */
export function shellQuote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A command line for a POSIX shell. */
export function shellWords(words: readonly string[]): string {
  return words.map(shellQuote).join(" ");
}
