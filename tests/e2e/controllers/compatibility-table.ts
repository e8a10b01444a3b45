// The section on controllers of docs/kubernetes-compatibility.md, made from the recordings.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withSection } from "../../kit/doc-section.ts";

const FILE = join(import.meta.dirname, "../../../docs/kubernetes-compatibility.md");
const MARKS = { begin: "<!-- controllers: made by tests/e2e/controllers -->", end: "<!-- controllers: end -->" };

interface Area {
  readonly area: string;
  /** What the real controllers came to, one YAML text a scenario. */
  readonly texts: readonly string[];
  /** Scenarios that did not end as recorded, or were not played. */
  readonly differences: number;
  /** Scenarios that are known to end otherwise, with the reason. */
  readonly notYet: readonly { readonly name: string; readonly notYet: string }[];
}

/** True when the file tells what is recorded; with `write` it does so after. */
export function updateCompatibilityTable(areas: readonly Area[], write: boolean): boolean {
  const before = existsSync(FILE) ? readFileSync(FILE, "utf8") : "# Kubernetes compatibility\n";
  const after = withSection(before, MARKS, renderSection(areas));
  if (write && after !== before) writeFileSync(FILE, after);
  return write || after === before;
}

function renderSection(areas: readonly Area[]): string {
  const rows = areas.map(({ area, texts, differences }) => {
    const counts = texts.map(countOf);
    const total = (key: "objects" | "events") => counts.reduce((sum, count) => sum + count[key], 0);
    return `| ${area} | ${texts.length} | ${total("objects")} | ${total("events")} | ${differences} |`;
  });
  // What one run of all scenarios found; a run that finds something else fails.
  return `## Controllers

Scenarios that a user with kubectl and two nodes plays on our controllers and on the real kube-controller-manager and
kube-scheduler of the same release. At the end all objects of the namespace and the events about them are the same:
spec, status, conditions with reason and message, owners, labels, annotations, revisions.
\`npx vitest run --project e2e tests/e2e/controllers\` plays all of them on ours and counts the scenarios that differ
from what the real ones came to (\`recorded/\`); some play on the real ones each time, all with \`ONLY_ENGINE=real\`, and
\`UPDATE_RECORDED=1\` records them anew.

| area | scenarios | objects compared | kinds of events compared | scenarios that differ |
|---|---|---|---|---|
${rows.join("\n")}

Not compared, because it is random or depends on the moment: names, times, addresses and uids (their places are), the
order of sets, how often an event came where machines differ in speed. Known differences:

| difference | why |
|---|---|
| no annotation \`endpoints.kubernetes.io/last-change-trigger-time\` | measures the delay of the endpoints controllers; whether it is there depends on what came in one batch |
| no \`podCIDR\` from a range allocator, no event \`CIDRAssignmentFailed\` | nodes of a playground bring their own range |
| no preemption, no topology spread, no scoring but the number of pods | a playground has one node |
| policy \`Recycle\` fails a volume; with \`Delete\` a hand-made hostPath volume below /tmp goes without its files | the first is deprecated and asks for a pod of an image; controllers touch no files |
${notYetRows(areas)}| HorizontalPodAutoscalers and ReplicationControllers are kept, not acted upon | nothing of the mesh uses them |`;
}

function notYetRows(areas: readonly Area[]): string {
  return areas
    .flatMap(({ notYet }) => notYet.map(({ name, notYet: why }) => `| scenario \`${name}\` | ${why} |\n`))
    .join("");
}

/** Read off the lines, as our own normal form writes them: parsing all recordings would take seconds. */
function countOf(text: string): { objects: number; events: number } {
  const [events = "", objects = ""] = text.split(/^objects:/m);
  return { objects: objects.match(/^ {2}\S/gm)?.length ?? 0, events: events.match(/^ {2}- /gm)?.length ?? 0 };
}
