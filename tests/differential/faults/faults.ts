// Faults as an embedded server could have them, planted between the sequences and it: what a request loses on its way in,
// what an answer loses on its way out. Each must be found.
import { isMap, parse } from "../run/fill-in.ts";
import type { JsonMap } from "../step.ts";
import { ADMISSION_FAULTS } from "./admission-faults.ts";
import {
  answers,
  events,
  type Fault,
  isApply,
  isWrite,
  metadataOf,
  pathOf,
  requests,
  statuses,
  withMetadata,
  withQuery,
} from "./plant.ts";

/** Finds what is no fault: answers that differ by chance. */
export const CONTROL: Fault = {
  name: "nothing (control)",
  areas: ["objects", "apply", "watch", "delete", "lists"],
  wrap: (target) => target,
};

/** Of an object by which a sequence waits for something of this very fault's kind: it would wait for ever. */
const isAwaited = (asked: JsonMap) => metadataOf(asked)["name"] === "await";

const FLOW_SCHEMA = "x-kubernetes-pf-flowschema-uid";

export const FAULTS: readonly Fault[] = [
  {
    name: "an entry of managedFields is lost",
    areas: ["apply"],
    wrap: answers((body) => {
      const entries = metadataOf(body)["managedFields"];
      return Array.isArray(entries) && entries.length > 1
        ? withMetadata(body, { managedFields: entries.slice(1) })
        : undefined;
    }),
  },
  {
    name: "creation answers 200 instead of 201",
    areas: ["objects"],
    wrap: statuses(({ status }) => (status === 201 ? 200 : status)),
  },
  {
    name: "a watch misses an event",
    areas: ["watch"],
    wrap: events((all) => (all.length > 2 ? [...all.slice(0, 1), ...all.slice(2)] : all)),
  },
  {
    name: "a watch tells a change as an addition",
    areas: ["watch"],
    wrap: events((all) =>
      all.map((event) => (isMap(event) && event["type"] === "MODIFIED" ? { ...event, type: "ADDED" } : event)),
    ),
  },
  {
    name: "bookmarks are missing",
    areas: ["watch"],
    wrap: events((all) => all.filter((event) => !isMap(event) || event["type"] !== "BOOKMARK")),
  },
  {
    name: "a stale resourceVersion is accepted",
    areas: ["objects"],
    wrap: requests((request) => {
      const body = request.method === "PUT" ? parse(String(request.body)) : undefined;
      if (!isMap(body)) return request;
      const { resourceVersion: _, ...metadata } = metadataOf(body);
      return { ...request, body: JSON.stringify({ ...body, metadata }) };
    }),
  },
  {
    name: "a default is missing",
    areas: ["apply"],
    wrap: answers((body) => {
      const spec = body["spec"];
      if (!isMap(spec) || !("sessionAffinity" in spec || "revisionHistoryLimit" in spec)) return undefined;
      const { sessionAffinity: _affinity, revisionHistoryLimit: _limit, ...rest } = spec;
      return { ...body, spec: rest };
    }),
  },
  {
    name: "label selectors are inverted",
    areas: ["lists"],
    wrap: requests((request) =>
      withQuery(request, (query) => {
        const selector = query.get("labelSelector");
        if (selector !== null) query.set("labelSelector", selector.replace(/^app=a/, "app!=a"));
      }),
    ),
  },
  {
    name: "field selectors are ignored",
    areas: ["lists"],
    wrap: requests((request) => withQuery(request, (query) => query.delete("fieldSelector"))),
  },
  {
    name: "a page loses an item",
    areas: ["lists"],
    wrap: answers((body, { path }) => {
      const { items } = body;
      return path.includes("continue=") && Array.isArray(items) && items.length > 0
        ? { ...body, items: items.slice(1) }
        : undefined;
    }),
  },
  {
    name: "a refusal has the wrong reason",
    areas: ["objects"],
    wrap: answers((body) => (body["reason"] === "NotFound" ? { ...body, reason: "Unknown" } : undefined)),
  },
  {
    name: "a cause of a refusal is missing",
    areas: ["validation"],
    wrap: answers((body) => {
      const { details } = body;
      if (!isMap(details) || !Array.isArray(details["causes"])) return undefined;
      return { ...body, details: { ...details, causes: details["causes"].slice(1) } };
    }),
  },
  {
    name: "finalizers are ignored",
    areas: ["delete"],
    wrap: (target) => ({
      ...target,
      async send(request) {
        const answer = await target.send(request);
        const body = parse(answer.text);
        if (request.method === "DELETE" && isMap(body) && "deletionTimestamp" in metadataOf(body)) {
          const patch = JSON.stringify({ metadata: { finalizers: null } });
          const headers = { ...request.headers, "content-type": "application/merge-patch+json" };
          await target.send({ ...request, method: "PATCH", path: pathOf(request), headers, body: patch });
        }
        return answer;
      },
    }),
  },
  {
    name: "everybody's requests are one flow",
    areas: ["flows"],
    wrap: (target) => ({
      ...target,
      async send(request) {
        const answer = await target.send(request);
        const [uid] = [...target.flows].find(([, name]) => name === "<flowschemas/global-default>") ?? [];
        return FLOW_SCHEMA in answer.headers && uid !== undefined
          ? { ...answer, headers: { ...answer.headers, [FLOW_SCHEMA]: uid } }
          : answer;
      },
    }),
  },
  {
    name: "a dry run is kept",
    areas: ["objects"],
    wrap: requests((request) => withQuery(request, (query) => query.delete("dryRun"))),
  },
  {
    name: "conflicts of apply are not reported",
    areas: ["apply"],
    wrap: requests((request) =>
      isApply(request) ? withQuery(request, (query) => query.set("force", "true")) : request,
    ),
  },
  {
    name: "apply removes a field of another manager",
    areas: ["apply"],
    wrap: (target) => ({
      ...target,
      async send(request) {
        const answer = await target.send(request);
        const body = parse(answer.text);
        const data = isMap(body) ? body["data"] : undefined;
        const foreign = isMap(data)
          ? Object.keys(data).find((key) => !String(request.body).includes(`"${key}"`))
          : undefined;
        if (!isApply(request) || answer.status !== 200 || foreign === undefined) return answer;
        const headers = { ...request.headers, "content-type": "application/merge-patch+json" };
        const patch = JSON.stringify({ data: { [foreign]: null } });
        return target.send({ ...request, path: pathOf(request), headers, body: patch });
      },
    }),
  },
  {
    name: "generation goes up by two",
    areas: ["objects"],
    wrap: answers((body, request) => {
      const { generation } = metadataOf(body);
      return isWrite(request) && typeof generation === "number" && generation > 1
        ? withMetadata(body, { generation: generation + 1 })
        : undefined;
    }),
  },
  {
    name: "unknown fields of custom resources are kept",
    areas: ["crd"],
    wrap: answers((body, { method, body: sent }) => {
      const asked = parse(String(sent));
      if (method !== "POST" || body["kind"] !== "Widget" || !isMap(asked) || isAwaited(asked)) return undefined;
      return { ...asked, ...body, spec: { ...(asked["spec"] as JsonMap), ...(body["spec"] as JsonMap) } };
    }),
  },
  {
    name: "defaults of custom resources are missing",
    areas: ["crd"],
    wrap: answers((body, { body: sent }) => {
      const asked = parse(String(sent));
      return body["kind"] === "Widget" && isMap(asked) && isMap(asked["spec"]) && !isAwaited(asked)
        ? { ...body, spec: asked["spec"] }
        : undefined;
    }),
  },
  {
    name: "everyone may everything",
    areas: ["rbac"],
    wrap: requests((request) => (/^(alice|bob|carol)$/.test(request.user) ? { ...request, user: "admin" } : request)),
  },
  {
    name: "warnings are dropped",
    areas: ["validation"],
    wrap: (target) => ({
      ...target,
      async send(request) {
        const answer = await target.send(request);
        const { warning: _, ...headers } = answer.headers;
        return { ...answer, headers };
      },
    }),
  },
  {
    name: "strict field validation is off",
    areas: ["validation"],
    wrap: requests((request) =>
      withQuery(request, (query) => {
        if (query.get("fieldValidation") === "Strict") query.set("fieldValidation", "Ignore");
      }),
    ),
  },
  {
    name: "the uid changes with an update",
    areas: ["objects"],
    wrap: answers((body, request) => {
      const { uid } = metadataOf(body);
      return request.method === "PUT" && typeof uid === "string"
        ? withMetadata(body, { uid: uid.replace(/.$/, (last) => (last === "0" ? "1" : "0")) })
        : undefined;
    }),
  },
  {
    name: "a webhook's refusal is ignored",
    areas: ["webhooks"],
    wrap: statuses((answer) => (answer.text.includes("denied the request") ? 201 : answer.status)),
  },
  {
    name: "a token is good for every audience",
    areas: ["tokens"],
    wrap: requests((request) => {
      const body = request.path.includes("tokenreviews") ? parse(String(request.body)) : undefined;
      if (!isMap(body) || !isMap(body["spec"])) return request;
      const { audiences: _, ...spec } = body["spec"];
      return { ...request, body: JSON.stringify({ ...body, spec }) };
    }),
  },
  {
    name: "tables lose a column",
    areas: ["lists"],
    wrap: answers((body) => {
      const { columnDefinitions } = body;
      return Array.isArray(columnDefinitions) ? { ...body, columnDefinitions: columnDefinitions.slice(1) } : undefined;
    }),
  },
  ...ADMISSION_FAULTS,
];
