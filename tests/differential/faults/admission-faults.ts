// Faults of admission: what it should refuse comes in, what it should add is missing.
import { isMap } from "../run/fill-in.ts";
import type { Json } from "../step.ts";
import { answers, type Fault, statuses } from "./plant.ts";

const letsIn = (words: string) => statuses(({ status, text }) => (text.includes(words) ? 201 : status));

export const ADMISSION_FAULTS: readonly Fault[] = [
  { name: "what exceeds a quota is let in", areas: ["admission"], wrap: letsIn("exceeded quota") },
  { name: "pods that violate pod security are let in", areas: ["admission"], wrap: letsIn("violates PodSecurity") },
  { name: "a policy's refusal is ignored", areas: ["admission"], wrap: letsIn("ValidatingAdmissionPolicy '") },
  {
    name: "a quota does not count what is let in",
    areas: ["admission"],
    wrap: answers((body) => {
      const { status } = body;
      if (body["kind"] !== "ResourceQuota" || !isMap(status) || !isMap(status["used"])) return undefined;
      const used = Object.fromEntries(Object.keys(status["used"]).map((name): [string, Json] => [name, "0"]));
      return { ...body, status: { ...status, used } };
    }),
  },
  {
    name: "a limit range completes no pod",
    areas: ["admission"],
    wrap: answers((body) => {
      const { spec } = body;
      if (body["kind"] !== "Pod" || !isMap(spec) || !Array.isArray(spec["containers"])) return undefined;
      const containers = spec["containers"].map((container) =>
        isMap(container) ? { ...container, resources: {} } : container,
      );
      return { ...body, spec: { ...spec, containers } };
    }),
  },
  {
    name: "nobody is warned of pod security",
    areas: ["admission"],
    wrap: (target) => ({
      ...target,
      async send(request) {
        const answer = await target.send(request);
        const { warning, ...headers } = answer.headers;
        return JSON.stringify(warning ?? "").includes("PodSecurity") ? { ...answer, headers } : answer;
      },
    }),
  },
];
