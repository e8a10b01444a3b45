import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import type { ApiResponse, RequestInfo } from "../contract.ts";
import { createRequestMetrics } from "./request-metrics.ts";

const info = (more: Partial<RequestInfo>): RequestInfo => ({
  isResource: true,
  path: "",
  verb: "list",
  group: "",
  version: "v1",
  resource: "pods",
  subresource: "",
  namespace: "",
  name: "",
  ...more,
});

const answer = () => Object.assign(new EventEmitter(), { statusCode: 200 });

test("counts requests by what they are, how they end and how long they take", () => {
  let now = 0;
  const metrics = createRequestMetrics(() => now);
  const begin = (more: Partial<RequestInfo>, query = "") => {
    const response = answer();
    const request = { info: info(more), query: new URLSearchParams(query), apply: false };
    metrics.begin(request, response as unknown as ApiResponse);
    return response;
  };
  const list = begin({});
  const watch = begin({ verb: "watch", namespace: "a" });
  expect(metrics.render()).toEqual(
    expect.arrayContaining([
      'apiserver_current_inflight_requests{request_kind="readOnly"} 1',
      'apiserver_longrunning_requests{component="apiserver",group="",resource="pods",scope="namespace",subresource="",verb="WATCH",version="v1"} 1',
    ]),
  );
  now = 30;
  list.emit("close");
  const created = begin({ verb: "create", namespace: "a" }, "dryRun=All");
  created.statusCode = 201;
  created.emit("close");
  watch.emit("close");
  const own =
    'component="apiserver",dry_run="",group="",resource="pods",scope="cluster",subresource="",verb="LIST",version="v1"';
  expect(metrics.render()).toEqual(
    expect.arrayContaining([
      `apiserver_request_total{code="200",${own}} 1`,
      'apiserver_request_total{code="201",component="apiserver",dry_run="All",group="",resource="pods",scope="resource",subresource="",verb="POST",version="v1"} 1',
      `apiserver_request_duration_seconds_bucket{${own},le="0.025"} 0`,
      `apiserver_request_duration_seconds_bucket{${own},le="0.05"} 1`,
      `apiserver_request_duration_seconds_count{${own}} 1`,
      `apiserver_request_sli_duration_seconds_bucket{${own.replace('dry_run="",', "")},le="0.05"} 1`,
      'apiserver_current_inflight_requests{request_kind="readOnly"} 0',
    ]),
  );
  expect(metrics.render().filter((line) => line.includes("sli") && /WATCH|dry_run|le="0.005"/.test(line))).toEqual([]);
});
