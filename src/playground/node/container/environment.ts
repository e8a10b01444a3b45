import type { ConfigMap, Container, EnvVar, EnvVarSource, Secret } from "#api/kubernetes/gen/types";
import { MeshError } from "#base/mesh-error";
import { type DownwardFacts, fieldValue, resourceValue } from "./downward-api.ts";

/** Config maps and secrets of the pod's own namespace, by name. */
export interface ObjectLookups {
  configMap(name: string): ConfigMap | undefined;
  secret(name: string): Secret | undefined;
}

export interface EnvironmentInput {
  readonly container: Container;
  readonly facts: DownwardFacts;
  readonly lookups: ObjectLookups;
  /** Of the image: the container may overwrite it, `$(VAR)` does not see it. */
  readonly imageEnv: Readonly<Record<string, string>>;
  /** KUBERNETES_SERVICE_HOST and its kind. */
  readonly serviceEnv: Readonly<Record<string, string>>;
}

export interface ContainerEnvironment {
  readonly variables: Readonly<Record<string, string>>;
  /** Resolves `$(VAR)` in command and args. */
  readonly expand: (text: string) => string;
  /** The same for a path, where nothing may be missing: throws MeshError CONFIG_MISSING. */
  readonly expandPath: (text: string) => string;
}

/**
 * Exactly the variables a container gets: image, then services, then envFrom, then env.
 * Throws MeshError CONFIG_MISSING when a required config map, secret or key does not exist (yet).
 */
export function containerEnvironment(input: EnvironmentInput): ContainerEnvironment {
  const known: Record<string, string> = { ...input.serviceEnv };
  const expand = (text: string) => expandVariables(text, known);
  for (const source of input.container.envFrom ?? []) {
    const prefix = source.prefix ?? "";
    const data = envFromData(source, input.lookups);
    for (const [key, value] of Object.entries(data)) known[prefix + key] = value;
  }
  for (const variable of input.container.env ?? []) {
    const value = variableValue(variable, input, expand);
    if (value !== undefined) known[variable.name] = value;
  }
  const expandPath = (text: string) => {
    const missed = referencedVariables(text).filter((name) => !known[name]);
    if (missed.length > 0) throw missing(`missing value for ${[...new Set(missed)].sort().join(", ")}`);
    return expand(text);
  };
  return { variables: { ...input.imageEnv, ...known }, expand, expandPath };
}

function referencedVariables(text: string): string[] {
  return [...text.matchAll(REFERENCE)].flatMap(([, name]) => (name === undefined ? [] : [name]));
}

const REFERENCE = /\$\$|\$\(([^)]*)\)/g;

/** `$(NAME)` becomes its value when NAME is known and stays as it is otherwise; `$$(NAME)` is a literal `$(NAME)`. */
export function expandVariables(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replace(REFERENCE, (match, name: string | undefined) => {
    if (match === "$$") return "$";
    return variables[name ?? ""] ?? match;
  });
}

function envFromData(
  source: NonNullable<Container["envFrom"]>[number],
  lookups: ObjectLookups,
): Record<string, string> {
  if (source.configMapRef) {
    const { name = "", optional } = source.configMapRef;
    const map = lookups.configMap(name);
    if (!map && !optional) throw missing(`configmap "${name}" not found`);
    return map?.data ?? {};
  }
  if (!source.secretRef) return {};
  const { name = "", optional } = source.secretRef;
  const secret = lookups.secret(name);
  if (!secret && !optional) throw missing(`secret "${name}" not found`);
  return Object.fromEntries(Object.entries(secret?.data ?? {}).map(([key, value]) => [key, decode(value)]));
}

function variableValue(
  variable: EnvVar,
  input: EnvironmentInput,
  expand: (text: string) => string,
): string | undefined {
  if (variable.valueFrom === undefined) return expand(variable.value ?? "");
  return sourcedValue(variable.valueFrom, input);
}

function sourcedValue(source: EnvVarSource, { container, facts, lookups }: EnvironmentInput): string | undefined {
  const { namespace = "default" } = facts.pod.metadata ?? {};
  if (source.fieldRef) return fieldValue(source.fieldRef, facts);
  if (source.resourceFieldRef) {
    const named = source.resourceFieldRef.containerName;
    const other = facts.pod.spec?.containers.find(({ name }) => name === named);
    return resourceValue(source.resourceFieldRef, other ?? container, facts);
  }
  if (source.configMapKeyRef) {
    const { name = "", key, optional } = source.configMapKeyRef;
    const map = lookups.configMap(name);
    return required(
      map?.data?.[key],
      optional,
      map ? `couldn't find key ${key} in ConfigMap ${namespace}/${name}` : `configmap "${name}" not found`,
    );
  }
  if (source.secretKeyRef) {
    const { name = "", key, optional } = source.secretKeyRef;
    const secret = lookups.secret(name);
    const what = secret ? `couldn't find key ${key} in Secret ${namespace}/${name}` : `secret "${name}" not found`;
    const value = required(secret?.data?.[key], optional, what);
    return value === undefined ? undefined : decode(value);
  }
  return undefined;
}

function required(value: string | undefined, optional: boolean | undefined, what: string): string | undefined {
  if (value === undefined && !optional) throw missing(what);
  return value;
}

function missing(what: string): MeshError {
  return new MeshError("CONFIG_MISSING", what, { hint: "create it; the container starts as soon as it is there" });
}

function decode(base64: string): string {
  return Buffer.from(base64, "base64").toString();
}
