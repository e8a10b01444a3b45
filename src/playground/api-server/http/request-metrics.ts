// What the server counts of its requests, in the names and labels of Kubernetes' own metrics.
import type { ApiResponse, RequestInfo } from "../contract.ts";

/** Upper bounds in seconds, as Kubernetes has them. */
const BOUNDS = [
  ...[0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60],
  Number.POSITIVE_INFINITY,
];

const VERBS: Readonly<Record<string, string>> = {
  create: "POST",
  update: "PUT",
  patch: "PATCH",
  deletecollection: "DELETECOLLECTION",
};
const READS = new Set(["GET", "LIST", "HEAD", "WATCH"]);
const CONNECTIONS = new Set(["exec", "attach", "portforward", "proxy"]);

export type Labels = Readonly<Record<string, string>>;

interface Histogram {
  readonly buckets: number[];
  sum: number;
}

export interface RequestMetrics {
  /** Counts from now until the answer is out. */
  begin(
    request: { readonly info: RequestInfo; readonly query: URLSearchParams; readonly apply: boolean },
    response: ApiResponse,
  ): void;
  /** Lines of the exposition format. */
  render(): string[];
}

export function createRequestMetrics(now: () => number = () => performance.now()): RequestMetrics {
  const totals = new Map<string, number>();
  const durations = new Map<string, Histogram>();
  const long = new Map<string, number>();
  const inflight = { mutating: 0, readOnly: 0 };
  const add = (counts: Map<string, number>, labels: string, by: number) =>
    counts.set(labels, (counts.get(labels) ?? 0) + by);

  const observe = (labels: string, seconds: number) => {
    const known = durations.get(labels) ?? { buckets: BOUNDS.map(() => 0), sum: 0 };
    durations.set(labels, known);
    const index = BOUNDS.findIndex((bound) => seconds <= bound);
    known.buckets[index] = (known.buckets[index] ?? 0) + 1;
    known.sum += seconds;
  };

  return {
    begin({ info, query, apply }, response) {
      const began = now();
      const labels = labelsOf(info, apply);
      const dry = { dry_run: query.get("dryRun") ?? "" };
      const isLong = labels["verb"] === "WATCH" || CONNECTIONS.has(info.subresource.split("/")[0] ?? "");
      const kind = READS.has(labels["verb"] ?? "") ? "readOnly" : "mutating";
      if (isLong) add(long, labelText(labels), 1);
      else inflight[kind]++;
      response.once("close", () => {
        if (isLong) add(long, labelText(labels), -1);
        else inflight[kind]--;
        add(totals, labelText({ ...labels, ...dry, code: String(response.statusCode) }), 1);
        observe(labelText({ ...labels, ...dry }), (now() - began) / 1000);
      });
    },
    render: () => [
      ...metric("apiserver_request_total", "counter", "Requests by verb, resource and code."),
      ...lines("apiserver_request_total", totals),
      ...metric("apiserver_request_duration_seconds", "histogram", "Time from a request to the end of its answer."),
      ...[...durations].flatMap(([labels, histogram]) =>
        histogramLines("apiserver_request_duration_seconds", labels, histogram),
      ),
      ...metric(SLI, "histogram", "Time from a request to the end of its answer, of requests that end by themselves."),
      ...[...withoutDryRuns(durations)].flatMap(([labels, histogram]) => histogramLines(SLI, labels, histogram, 2)),
      ...metric("apiserver_longrunning_requests", "gauge", "Watches and connections that are open."),
      ...lines("apiserver_longrunning_requests", long),
      ...metric("apiserver_current_inflight_requests", "gauge", "Requests that are being answered."),
      ...Object.entries(inflight).map(
        ([kind, count]) => `apiserver_current_inflight_requests{request_kind="${kind}"} ${count}`,
      ),
      ...metric("apiserver_current_inqueue_requests", "gauge", "Requests that wait for their turn: none ever does."),
      ...Object.keys(inflight).map((kind) => `apiserver_current_inqueue_requests{request_kind="${kind}"} 0`),
    ],
  };
}

const SLI = "apiserver_request_sli_duration_seconds";
const LONG = /verb="(?:WATCH|CONNECT|PROXY)"|subresource="(?:attach|exec|log|portforward|proxy)/;

/** What is left of the histograms when watches and connections go and dry runs count as what they try. */
function withoutDryRuns(durations: ReadonlyMap<string, Histogram>): Map<string, Histogram> {
  const merged = new Map<string, Histogram>();
  for (const [labels, { buckets, sum }] of durations) {
    if (LONG.test(labels)) continue;
    const key = labels.replace(/dry_run="[^"]*",/, "");
    const before = merged.get(key) ?? { buckets: BOUNDS.map(() => 0), sum: 0 };
    const added = before.buckets.map((count, index) => count + (buckets[index] ?? 0));
    merged.set(key, { buckets: added, sum: before.sum + sum });
  }
  return merged;
}

/** HELP and TYPE of a metric. */
export const metric = (name: string, type: string, help: string): string[] => [
  `# HELP ${name} ${help}`,
  `# TYPE ${name} ${type}`,
];

const lines = (name: string, counts: ReadonlyMap<string, number>) =>
  [...counts].map(([labels, count]) => `${name}{${labels}} ${count}`);

/** `skip` of the lowest bounds are not shown; what they count, the next one does. */
function histogramLines(name: string, labels: string, { buckets, sum }: Histogram, skip = 0): string[] {
  let count = 0;
  const counted = BOUNDS.map((bound, index) => {
    count += buckets[index] ?? 0;
    const text = Number.isFinite(bound) ? String(bound) : "+Inf";
    return `${name}_bucket{${labels},le="${text}"} ${count}`;
  });
  return [...counted.slice(skip), `${name}_sum{${labels}} ${sum}`, `${name}_count{${labels}} ${count}`];
}

export const labelText = (labels: Labels): string =>
  Object.keys(labels)
    .sort()
    .map((name) => `${name}="${escaped(labels[name] ?? "")}"`)
    .join(",");

const escaped = (text: string) => text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

function labelsOf(info: RequestInfo, apply: boolean): Labels {
  const verb = apply ? "APPLY" : (VERBS[info.verb] ?? (info.verb.toUpperCase() || "OTHER"));
  if (!info.isResource) {
    const own = { component: "", group: "", version: "", resource: "", scope: "" };
    return { ...own, subresource: `/${info.path.split("/")[1] ?? ""}`, verb };
  }
  const { group, version, resource, subresource, namespace, name } = info;
  const scope = name !== "" || verb === "POST" ? "resource" : namespace === "" ? "cluster" : "namespace";
  return { component: "apiserver", group, version, resource, subresource, scope, verb };
}
