// Short ways to write the objects of the scenarios.
import type { Manifest } from "../world.ts";

type Fields = Readonly<Record<string, unknown>>;

export function podTemplate(app: string, image: string, spec: Fields = {}, container: Fields = {}) {
  return {
    metadata: { labels: { app } },
    spec: { containers: [{ name: "app", image, ...container }], terminationGracePeriodSeconds: 0, ...spec },
  };
}

export function pod(name: string, image: string, spec: Fields = {}, metadata: Fields = {}): Manifest {
  const template = podTemplate(name, image, spec);
  return { kind: "Pod", metadata: { name, labels: { app: name }, ...metadata }, spec: template.spec };
}

function workload(kind: string) {
  return (name: string, image: string, spec: Fields = {}, metadata: Fields = {}): Manifest => ({
    kind,
    metadata: { name, ...metadata },
    spec: { selector: { matchLabels: { app: name } }, template: podTemplate(name, image), ...spec },
  });
}

export const deployment = workload("Deployment");
export const replicaSet = workload("ReplicaSet");
export const daemonSet = workload("DaemonSet");

export function statefulSet(name: string, image: string, spec: Fields = {}): Manifest {
  return workload("StatefulSet")(name, image, { serviceName: name, ...spec });
}

export function job(name: string, image: string, spec: Fields = {}): Manifest {
  const template = podTemplate(name, image, { restartPolicy: "Never" });
  return { kind: "Job", metadata: { name }, spec: { template, ...spec } };
}

export function service(name: string, spec: Fields = {}, metadata: Fields = {}): Manifest {
  const ports = [{ name: "http", port: 80, targetPort: 8080 }];
  return { kind: "Service", metadata: { name, ...metadata }, spec: { selector: { app: name }, ports, ...spec } };
}

export function configMap(name: string, metadata: Fields = {}): Manifest {
  return { kind: "ConfigMap", metadata: { name, ...metadata }, data: { key: "value" } };
}

/** Patch that gives the pods of a workload another image. */
export function imageOf(image: string) {
  return { spec: { template: { spec: { containers: [{ name: "app", image }] } } } };
}
