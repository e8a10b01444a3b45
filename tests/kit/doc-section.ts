/** The marks around a section of a document that a test run writes. */
export interface SectionMarks {
  readonly begin: string;
  readonly end: string;
}

/** The document with `body` between the marks; appended with them when it has none. */
export function withSection(document: string, { begin, end }: SectionMarks, body: string): string {
  const section = `${begin}\n${body}\n${end}`;
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  if (from < 0 || to < from) return `${document.trimEnd()}\n\n${section}\n`;
  return document.slice(0, from) + section + document.slice(to + end.length);
}
