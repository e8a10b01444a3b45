// What may differ between two runs of the same command: ids, times, versions, the name of the server. Nothing else.

const RULES: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "UID"],
  [/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z/g, "TIME"],
  [/(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} [+-]\d{4}/g, "TIME"],
  [/("?resourceVersion"?: ?)"\d+"/g, '$1"RV"'],
  [/(\\+"resourceVersion\\+":\\+")\d+/g, "$1RV"],
  [/https:\/\/127\.0\.0\.1:\d+/g, "SERVER"],
  [/127\.0\.0\.1:\d+/g, "SERVER"],
  // The age in a table and the width that it gives its column; never a number inside a word.
  [/(?<=\s)(<unknown>|<invalid>|\d+(ms|s|m|h)(\d+s)?)(?=\s|$)/gm, "AGE"],
  [/[ \t]+/g, " "],
  // A real server says so of a Service when one of its loops happens to look between two of its writes.
  [
    /Events:\n Type Reason Age From Message\n ---- ------ ---- ---- -------\n Warning ClusterIPNotAllocated .*(?=\n|$)/g,
    "Events: <none>",
  ],
  [/(kube-api-access|default-token)-[a-z0-9]{5}/g, "$1-NAME"],
  // Temporary files of `kubectl diff`.
  [/\/tmp\/(LIVE|MERGED)-\d+/g, "/tmp/$1"],
  [/\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(\.\d{9})? [+-]\d{4}( UTC)?/g, "TIME"],
  [/[EIW]\d{4} \d{2}:\d{2}:\d{2}\.\d+ +\d+ /g, ""],
];

/** Fields of a JSON object come in no order; only `--raw` shows the server's. */
function sortedJson(output: string): string {
  if (!output.startsWith("{")) return output;
  const sorted = (_: string, value: unknown): unknown =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  try {
    return JSON.stringify(JSON.parse(output), sorted);
  } catch {
    return output;
  }
}

export function sameForm(output: string): string {
  return RULES.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), sortedJson(output)).trim();
}
