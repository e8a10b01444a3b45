// What the expressions of a policy may name, with the types of its own variables.
import { type CelType, DYN, listOf, mapOf, objectOf, scalar } from "../cel/cel-type.ts";
import { compileExpression } from "../cel/compile.ts";
import type { JsonObject } from "../contract.ts";
import { objectAt, objectsAt, stringAt } from "../json.ts";
import { AUTHORIZER_VARIABLE, REQUEST_VARIABLES } from "./request-variables.ts";

export type Scope = Readonly<Record<string, CelType>>;

const STRING = scalar("string");
const TEXTS = mapOf(STRING, STRING);
const TIME = scalar("timestamp");

const CONDITION = objectOf({ status: STRING, type: STRING, lastTransitionTime: TIME, message: STRING, reason: STRING });
const NAMESPACE = objectOf({
  metadata: objectOf({
    ...{ name: STRING, generateName: STRING, namespace: STRING, labels: TEXTS, annotations: TEXTS, UID: STRING },
    ...{ creationTimestamp: TIME, deletionGracePeriodSeconds: scalar("int"), deletionTimestamp: TIME },
    ...{ generation: scalar("int"), resourceVersion: STRING, finalizers: listOf(STRING) },
  }),
  spec: objectOf({ finalizers: listOf(STRING) }),
  status: objectOf({ conditions: listOf(CONDITION), phase: STRING }),
});

export interface PolicyScope {
  readonly conditions: Scope;
  /** Without the variables that come later. */
  variable(index: number): Scope;
  readonly validations: Scope;
  readonly messages: Scope;
}

const MOST_KNOWN = 500;
const known = new Map<string, PolicyScope>();

/** The same for policies that declare the same; expressions are compiled once for each. */
export function policyScope(spec: JsonObject): PolicyScope {
  const key = JSON.stringify([objectAt(spec, "paramKind"), objectsAt(spec, "variables")]);
  const present = known.get(key);
  if (present !== undefined) return present;
  if (known.size >= MOST_KNOWN) known.clear();
  const made = makeScope(spec);
  known.set(key, made);
  return made;
}

function makeScope(spec: JsonObject): PolicyScope {
  const params: Scope = Object.keys(objectAt(spec, "paramKind")).length > 0 ? { params: DYN } : {};
  const conditions = { ...REQUEST_VARIABLES, ...params, ...AUTHORIZER_VARIABLE };
  const variables = objectsAt(spec, "variables");
  const types: Record<string, CelType> = {};
  const scopes: Scope[] = [];
  const own = () => (variables.length === 0 ? {} : { variables: objectOf({ ...types }) });
  const all = { ...conditions, namespaceObject: NAMESPACE };
  for (const variable of variables) {
    const scope = { ...all, ...own() };
    scopes.push(scope);
    types[stringAt(variable, "name")] = compileExpression(stringAt(variable, "expression"), scope).type;
  }
  const validations = { ...all, ...own() };
  const messages = { ...REQUEST_VARIABLES, ...params, namespaceObject: NAMESPACE, ...own() };
  return { conditions, variable: (index) => scopes[index] ?? validations, validations, messages };
}
