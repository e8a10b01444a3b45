import { expect, test } from "vitest";
import { objectAt, objectsAt } from "../json.ts";
import { dropDisabledFields } from "./disabled-fields.ts";
import { preparePod } from "./pod-strategy.ts";

const USER = { username: "joe", groups: [] };
const APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/main";

test("labels of the pod join the selectors that ask for them", () => {
  const selector = { matchLabels: { app: "a" } };
  const pod = {
    metadata: { labels: { app: "a", version: "2" } },
    spec: {
      topologySpreadConstraints: [{ labelSelector: { ...selector }, matchLabelKeys: ["version", "none"] }],
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { labelSelector: { ...selector }, mismatchLabelKeys: ["version"] },
            { mismatchLabelKeys: ["version"] },
          ],
        },
      },
    },
  };
  preparePod(pod, USER, () => {});
  const added = (operator: string) => ({
    ...selector,
    matchExpressions: [{ key: "version", operator, values: ["2"] }],
  });
  const terms = objectsAt(pod, "spec", "affinity", "podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution");
  expect(objectsAt(pod, "spec", "topologySpreadConstraints")[0]?.["labelSelector"]).toEqual(added("In"));
  expect(terms.map((term) => term["labelSelector"])).toEqual([added("NotIn"), undefined]);
});

test("an annotation of AppArmor becomes the field, and is warned of", () => {
  const pod = { metadata: { annotations: { [APP_ARMOR]: "localhost/p" } }, spec: { containers: [{ name: "main" }] } };
  const warnings: string[] = [];
  preparePod(pod, USER, (text) => warnings.push(text));
  const [container] = objectsAt(pod, "spec", "containers");
  const profile = { type: "Localhost", localhostProfile: "p" };
  expect(objectAt(container, "securityContext", "appArmorProfile")).toEqual(profile);
  expect(warnings).toEqual([
    `metadata.annotations[${APP_ARMOR}]: deprecated since v1.30; use the "appArmorProfile" field instead`,
  ]);
});

test("a lifecycle that has only a signal goes with it", () => {
  const deployment = {
    spec: {
      template: {
        spec: {
          containers: [
            { name: "a", lifecycle: { stopSignal: "SIGTERM" } },
            { name: "b", lifecycle: { stopSignal: "SIGTERM", preStop: {} } },
          ],
        },
      },
    },
  };
  dropDisabledFields("apps/deployments", deployment);
  const containers = objectsAt(deployment, "spec", "template", "spec", "containers");
  expect(containers).toEqual([{ name: "a" }, { name: "b", lifecycle: { preStop: {} } }]);
});
