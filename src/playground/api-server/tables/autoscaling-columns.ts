// Columns of autoscalers: what they watch, beside what they want of it.
import type { JsonObject } from "../contract.ts";
import { numberAt, objectAt, objectsAt, stringAt } from "../json.ts";
import { ageColumn, type Column, nameColumn, textColumn } from "./column.ts";

const SOURCES: Readonly<Record<string, string>> = {
  Resource: "resource",
  ContainerResource: "containerResource",
  Pods: "pods",
  Object: "object",
  External: "external",
};

/** `cpu: 40%/80%`, or `3/10 (avg)` of what is no resource. */
function metricText(metric: JsonObject, status: JsonObject | undefined): string {
  const source = SOURCES[stringAt(metric, "type")];
  if (source === undefined) return "<unknown type>";
  const target = objectAt(metric, source, "target");
  const current = objectAt(status, source, "current");
  const name = source.toLowerCase().endsWith("resource") ? `${stringAt(metric, source, "name")}: ` : "";
  const average = target["averageValue"];
  if (average !== undefined) {
    const note = source === "external" || source === "object" ? " (avg)" : "";
    return `${name}${String(current["averageValue"] ?? "<unknown>")}/${String(average)}${note}`;
  }
  if (name === "") return `${String(current["value"] ?? "<unknown>")}/${String(target["value"] ?? "")}`;
  const percent = (of: JsonObject, other: string) => {
    const value = numberAt(of, "averageUtilization");
    return value === undefined ? other : `${value}%`;
  };
  return `${name}${percent(current, "<unknown>")}/${percent(target, "<auto>")}`;
}

const MOST = 2;

function targets(scaler: JsonObject): string {
  const percent = numberAt(scaler, "spec", "targetCPUUtilizationPercentage");
  const metrics = objectsAt(scaler, "spec", "metrics");
  const statuses = objectsAt(scaler, "status", "currentMetrics");
  const texts = metrics.map((metric, index) => metricText(metric, statuses[index]));
  if (percent !== undefined) {
    const current = numberAt(scaler, "status", "currentCPUUtilizationPercentage");
    texts.push(`cpu: ${current === undefined ? "<unknown>" : `${current}%`}/${percent}%`);
  }
  if (texts.length === 0) return "<none>";
  const more = texts.length > MOST ? ` + ${texts.length - MOST} more...` : "";
  return texts.slice(0, MOST).join(", ") + more;
}

function target(scaler: JsonObject): string {
  const ref = objectAt(scaler, "spec", "scaleTargetRef");
  return `${stringAt(ref, "kind")}/${stringAt(ref, "name")}`;
}

/** By `group/plural`. */
export const autoscalingColumns: Readonly<Record<string, readonly Column[]>> = {
  "autoscaling/horizontalpodautoscalers": [
    nameColumn,
    textColumn("Reference", target),
    textColumn("Targets", targets),
    textColumn("MinPods", (scaler) => String(numberAt(scaler, "spec", "minReplicas") ?? "<unset>")),
    textColumn("MaxPods", (scaler) => numberAt(scaler, "spec", "maxReplicas") ?? 0),
    textColumn("Replicas", (scaler) => numberAt(scaler, "status", "currentReplicas") ?? 0),
    ageColumn,
  ],
};
