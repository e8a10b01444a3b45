import { autoscalingColumns } from "./autoscaling-columns.ts";
import { clusterColumns } from "./cluster-columns.ts";
import type { Column } from "./column.ts";
import { coreColumns } from "./core-columns.ts";
import { podColumns } from "./pod-columns.ts";
import { policyColumns } from "./policy-columns.ts";
import { volumeColumns } from "./volume-columns.ts";
import { workloadColumns } from "./workload-columns.ts";

/** By `group/plural`. */
export const BUILTIN_COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  "/pods": podColumns,
  ...coreColumns,
  ...workloadColumns,
  ...policyColumns,
  ...clusterColumns,
  ...autoscalingColumns,
  ...volumeColumns,
};
