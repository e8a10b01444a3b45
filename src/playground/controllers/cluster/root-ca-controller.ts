import type { ConfigMap } from "#api/kubernetes/gen/types";
import type { Component } from "#base/component";
import { WorkQueue } from "#kube/work-queue";
import { type ControllerContext, controllerComponent } from "../controller.ts";
import { identityOf, isBeingDeleted } from "../objects/object-meta.ts";
import { ignoreExisting } from "./service-account-controller.ts";

const NAME = "kube-root-ca.crt";
const KEY = "ca.crt";
const annotations = {
  "kubernetes.io/description":
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.",
};

/**
 * Keeps ConfigMap `kube-root-ca.crt` in every namespace, with the certificate that signs the API server's, and puts
 * it back when somebody edits or deletes it.
 * @param caCertificate PEM
 */
export function createRootCaController(context: ControllerContext, caCertificate: string): Component {
  const { caches, clock, logger } = context;
  const data = { [KEY]: caCertificate };
  const reconcile = async (name: string) => {
    const namespace = caches.namespaces.get("", name);
    if (namespace === undefined || isBeingDeleted(namespace)) return;
    const current = caches.configMaps.get(name, NAME);
    if (current === undefined) {
      await ignoreExisting(caches.configMaps.create({ metadata: { namespace: name, name: NAME, annotations }, data }));
    } else if (!isIntact(current, caCertificate)) {
      const metadata = { ...current.metadata, annotations: { ...current.metadata?.annotations, ...annotations } };
      await caches.configMaps.replace({ ...current, metadata, data });
    }
  };
  const queue = new WorkQueue({ name: "root-ca", clock, logger, reconcile });
  caches.namespaces.onChange(({ object, deleted }) => {
    if (!deleted) queue.add(identityOf(object).name);
  });
  caches.configMaps.onChange(({ object }) => {
    if (identityOf(object).name === NAME) queue.add(identityOf(object).namespace);
  });
  return controllerComponent(queue, [caches.namespaces, caches.configMaps]);
}

function isIntact({ data, metadata }: ConfigMap, caCertificate: string): boolean {
  const described = Object.entries(annotations).every(([key, value]) => metadata?.annotations?.[key] === value);
  return described && data !== undefined && Object.keys(data).length === 1 && data[KEY] === caCertificate;
}
