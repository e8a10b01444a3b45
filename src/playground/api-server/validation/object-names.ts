// The forms of names that Kubernetes accepts, with its sentences for those it does not.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { objectAt, stringAt } from "../json.ts";

interface NameForm {
  readonly pattern: RegExp;
  readonly longest: number;
  readonly detail: string;
}

const SUBDOMAIN: NameForm = {
  pattern: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
  longest: 253,
  detail:
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
};
const LABEL: NameForm = {
  pattern: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
  longest: 63,
  detail:
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
};
const LABEL_1035: NameForm = {
  pattern: /^[a-z]([-a-z0-9]*[a-z0-9])?$/,
  longest: 63,
  detail:
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
};
/** RBAC objects may hold anything that can stand in a path. */
const PATH: NameForm = { pattern: /^(?!\.{1,2}$)[^/%]+$/, longest: 253, detail: "may not contain '/' or '%'" };

const FORMS: Readonly<Record<string, NameForm>> = {
  "/namespaces": LABEL,
  "/services": LABEL_1035,
  "rbac.authorization.k8s.io/roles": PATH,
  "rbac.authorization.k8s.io/rolebindings": PATH,
  "rbac.authorization.k8s.io/clusterroles": PATH,
  "rbac.authorization.k8s.io/clusterrolebindings": PATH,
  "certificates.k8s.io/certificatesigningrequests": PATH,
  "networking.k8s.io/ipaddresses": PATH,
};

const QUALIFIED = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const VALUE_DETAIL =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const KEY_DETAIL =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

/** Checks name, labels and annotation keys of an object of the resource `key`. */
export function checkMetadata(key: string, object: JsonObject): FieldError[] {
  const metadata = objectAt(object, "metadata");
  return [
    ...checkName(FORMS[key] ?? SUBDOMAIN, stringAt(metadata, "name")),
    ...Object.entries(objectAt(metadata, "labels")).flatMap(([name, value]) => checkLabel(name, String(value))),
    ...Object.keys(objectAt(metadata, "annotations")).flatMap((name) =>
      checkKey("metadata.annotations", name.toLowerCase(), name),
    ),
  ];
}

function checkName(form: NameForm, name: string): FieldError[] {
  const field = "metadata.name";
  if (name === "") return [{ field, type: "FieldValueRequired", detail: "name or generateName is required" }];
  if (name.length > form.longest) {
    const detail = `must be no more than ${form.longest} characters`;
    return [{ field, type: "FieldValueInvalid", value: name, detail }];
  }
  return form.pattern.test(name) ? [] : [{ field, type: "FieldValueInvalid", value: name, detail: form.detail }];
}

function checkLabel(name: string, value: string): FieldError[] {
  const field = "metadata.labels";
  const errors = checkKey(field, name, name);
  if (!LABEL_VALUE.test(value)) errors.push({ field, type: "FieldValueInvalid", value, detail: VALUE_DETAIL });
  return errors;
}

function checkKey(field: string, tested: string, name: string): FieldError[] {
  return QUALIFIED.test(tested) ? [] : [{ field, type: "FieldValueInvalid", value: name, detail: KEY_DETAIL }];
}
