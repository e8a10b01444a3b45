// Injection and validation webhooks. The control plane fills in caBundle and, for validation, turns Ignore into Fail.
import { LABELS } from "#api/constants/labels";
import { NAMES } from "#api/constants/names";
import type {
  LabelSelector,
  MutatingWebhook,
  MutatingWebhookConfiguration,
  ValidatingWebhookConfiguration,
} from "#api/kubernetes/gen/types";
import type { ResolvedInstall } from "../resolve-install.ts";
import { valueAt } from "../tree.ts";
import { ownershipLabels, withRevision } from "./object-labels.ts";

const absent = (key: string) => ({ key, operator: "DoesNotExist" });
const isIn = (key: string, values: string[]) => ({ key, operator: "In", values });
const notIn = (key: string, values: string[]) => ({ key, operator: "NotIn", values });

const { injection, inject, revision: rev } = LABELS;

interface WebhookRow {
  readonly prefix: string;
  readonly namespaceSelector: LabelSelector;
  readonly objectSelector: LabelSelector;
}

/** Which pods of which namespaces each webhook sees: at most one of them matches any pod. */
function injectionRows(revision: string): WebhookRow[] {
  const byRevision: WebhookRow[] = [
    {
      prefix: "rev.namespace.",
      namespaceSelector: { matchExpressions: [isIn(rev, [revision]), absent(injection)] },
      objectSelector: { matchExpressions: [notIn(inject, ["false"])] },
    },
    {
      prefix: "rev.object.",
      namespaceSelector: { matchExpressions: [absent(rev), absent(injection)] },
      objectSelector: { matchExpressions: [notIn(inject, ["false"]), isIn(rev, [revision])] },
    },
  ];
  if (revision !== "default") return byRevision;
  return [
    ...byRevision,
    {
      prefix: "namespace.",
      namespaceSelector: { matchExpressions: [isIn(injection, ["enabled"])] },
      objectSelector: { matchExpressions: [notIn(inject, ["false"])] },
    },
    {
      prefix: "object.",
      namespaceSelector: { matchExpressions: [absent(injection), absent(rev)] },
      objectSelector: { matchExpressions: [isIn(inject, ["true"]), absent(rev)] },
    },
  ];
}

const SYSTEM_NAMESPACES = ["kube-system", "kube-public", "kube-node-lease", "local-path-storage"];

function autoRow(): WebhookRow {
  return {
    prefix: "auto.",
    namespaceSelector: {
      matchExpressions: [absent(injection), absent(rev), notIn("kubernetes.io/metadata.name", SYSTEM_NAMESPACES)],
    },
    objectSelector: { matchExpressions: [absent(inject), absent(rev)] },
  };
}

export function renderInjectorWebhook(install: ResolvedInstall): MutatingWebhookConfiguration {
  const auto =
    valueAt(install.values, "sidecarInjectorWebhook.enableNamespacesByDefault") === true &&
    install.revision === "default";
  const rows = [...injectionRows(install.revision), ...(auto ? [autoRow()] : [])];
  const outsideDefault = install.namespace === NAMES.systemNamespace ? "" : `-${install.namespace}`;
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: {
      name: `${withRevision(NAMES.injectorWebhook, install)}${outsideDefault}`,
      labels: { ...ownershipLabels(install, "Pilot"), app: "sidecar-injector", release: "istio" },
    },
    webhooks: rows.map((row) => injectionWebhook(row, install)),
  };
}

function injectionWebhook(row: WebhookRow, install: ResolvedInstall): MutatingWebhook {
  return {
    name: `${row.prefix}sidecar-injector.istio.io`,
    clientConfig: serviceReference(install, "/inject"),
    rules: [{ operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] }],
    failurePolicy: "Fail",
    reinvocationPolicy: String(valueAt(install.values, "sidecarInjectorWebhook.reinvocationPolicy") ?? "Never"),
    sideEffects: "None",
    admissionReviewVersions: ["v1"],
    namespaceSelector: row.namespaceSelector,
    objectSelector: row.objectSelector,
  };
}

/** Two doors to one check: the revision's own, and the default one for objects that name no revision. */
export function renderValidationWebhooks(install: ResolvedInstall): ValidatingWebhookConfiguration[] {
  if (valueAt(install.values, "global.configValidation") === false) return [];
  const own = validation(
    `${withRevision("istio-validator", install)}-${install.namespace}`,
    "rev.validation.istio.io",
    install,
    {
      matchExpressions: [isIn(rev, [install.revision])],
    },
  );
  if (install.revision !== "default") return [own];
  return [
    own,
    validation("istiod-default-validator", "validation.istio.io", install, { matchExpressions: [absent(rev)] }),
  ];
}

function validation(
  name: string,
  webhook: string,
  install: ResolvedInstall,
  objectSelector: LabelSelector,
): ValidatingWebhookConfiguration {
  const apiGroups = ["security.istio.io", "networking.istio.io", "telemetry.istio.io", "extensions.istio.io"];
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingWebhookConfiguration",
    metadata: {
      name,
      labels: { ...ownershipLabels(install, "Pilot"), app: "istiod", istio: "istiod", release: "istio" },
    },
    webhooks: [
      {
        name: webhook,
        clientConfig: serviceReference(install, "/validate"),
        rules: [{ operations: ["CREATE", "UPDATE"], apiGroups, apiVersions: ["*"], resources: ["*"] }],
        failurePolicy: "Ignore",
        sideEffects: "None",
        admissionReviewVersions: ["v1"],
        objectSelector,
      },
    ],
  };
}

function serviceReference(install: ResolvedInstall, path: string) {
  return { service: { name: withRevision("istiod", install), namespace: install.namespace, path, port: 443 } };
}
