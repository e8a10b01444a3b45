// A user's own `istio-proxy` container is a set of wishes over the template's, merged as Kubernetes merges lists by key.
import type { Container } from "#api/kubernetes/gen/types";
import { isRawObject, type RawObject } from "./raw-object.ts";

const LIST_KEYS: Readonly<Record<string, string>> = {
  env: "name",
  ports: "containerPort",
  volumeMounts: "mountPath",
  volumeDevices: "devicePath",
};

/** Of several ways to set one thing only the user's stays. */
const ONE_OF: readonly string[] = ["httpGet", "tcpSocket", "grpc", "exec"];

/** Gives the template with the user's fields over it; the placeholder image `auto` is no wish. */
export function mergeContainer(template: Container, user: Container): Container {
  const { image, ...rest } = user;
  const wishes = image === undefined || image === "auto" || image === "" ? rest : user;
  return mergeFields({ ...template }, { ...wishes }) as unknown as Container;
}

function mergeFields(base: RawObject, over: RawObject): RawObject {
  const merged: Record<string, unknown> = { ...base };
  if (ONE_OF.some((field) => over[field] !== undefined)) for (const field of ONE_OF) delete merged[field];
  for (const [field, value] of Object.entries(over)) merged[field] = mergeValue(field, merged[field], value);
  return merged;
}

function mergeValue(field: string, below: unknown, value: unknown): unknown {
  const key = LIST_KEYS[field];
  if (key !== undefined && Array.isArray(below) && Array.isArray(value)) return mergeByKey(key, below, value);
  if (isRawObject(below) && isRawObject(value)) return mergeFields(below, value);
  return value;
}

function mergeByKey(key: string, below: readonly unknown[], over: readonly unknown[]): unknown[] {
  const keyOf = (item: unknown) => (isRawObject(item) ? item[key] : undefined);
  const replaced = below.map((item) => over.find((wish) => keyOf(wish) === keyOf(item)) ?? item);
  const known = new Set(below.map(keyOf));
  return [...replaced, ...over.filter((wish) => !known.has(keyOf(wish)))];
}
