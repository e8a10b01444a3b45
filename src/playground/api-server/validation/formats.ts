// The forms of names, labels, ports and keys. Each function answers what is wrong, in Kubernetes' sentences.

export const maxLength = (length: number, unit = "characters") => `must be no more than ${length} ${unit}`;
export const inclusiveRange = (low: number, high: number) => `must be between ${low} and ${high}, inclusive`;
export const EMPTY = "must be non-empty";
const MAX_INT32 = 2_147_483_647;

/** The sentence, with examples and the expression behind it. */
export function patternMessage(message: string, pattern: string, ...examples: readonly string[]): string {
  if (examples.length === 0) return `${message} (regex used for validation is '${pattern}')`;
  const shown = examples.map((example) => `'${example}', `).join(" or ");
  return `${message} (e.g. ${shown}regex used for validation is '${pattern}')`;
}

export type Format = (value: string) => string[];

interface Form {
  readonly pattern: string;
  readonly longest?: number;
  /** What the message says that it counts; always bytes. */
  readonly unit?: string;
  readonly message: string;
  readonly examples: readonly string[];
}

function form({ pattern, longest, unit, message, examples }: Form): Format {
  const expression = new RegExp(`^(?:${pattern})$`);
  const text = patternMessage(message, pattern, ...examples);
  return (value) => {
    const errors = longest !== undefined && bytes(value) > longest ? [maxLength(longest, unit)] : [];
    if (!expression.test(value)) errors.push(text);
    return errors;
  };
}

/** Go counts bytes. */
export const bytes = (text: string) => Buffer.byteLength(text);

/** What a variable may be called in C. */
export const cIdentifier: Format = (value) => (IDENTIFIER.test(value) ? [] : [IDENTIFIER_MESSAGE]);
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;
const IDENTIFIER_MESSAGE =
  "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')";

const LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const UNDERSCORE_LABEL = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
const SUBDOMAIN_MESSAGE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";

const subdomainForm = { pattern: SUBDOMAIN, longest: 253, message: SUBDOMAIN_MESSAGE, examples: ["example.com"] };
export const dnsSubdomain = form(subdomainForm);
/** The same in the words of younger rules. */
export const dnsSubdomainInBytes = form({ ...subdomainForm, unit: "bytes" });

export const dnsSubdomainWithUnderscore = form({
  pattern: `${UNDERSCORE_LABEL}(\\.${UNDERSCORE_LABEL})*`,
  longest: 253,
  message: SUBDOMAIN_MESSAGE.replace("characters, '-'", "characters, '_', '-'"),
  examples: ["example.com"],
});

const labelForm = form({
  pattern: LABEL,
  longest: 63,
  message:
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  examples: ["my-name", "123-abc"],
});
const subdomainPattern = new RegExp(`^${SUBDOMAIN}$`);
const labelPattern = new RegExp(`^${LABEL}$`);

export const dnsLabel: Format = (value) => {
  if (labelPattern.test(value) || !subdomainPattern.test(value)) return labelForm(value);
  return [...(bytes(value) > 63 ? [maxLength(63)] : []), "must not contain dots"];
};

export const dns1035Label = form({
  pattern: "[a-z]([-a-z0-9]*[a-z0-9])?",
  longest: 63,
  message:
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  examples: ["my-name", "abc-123"],
});

export const wildcardSubdomain = form({
  pattern: `\\*\\.${SUBDOMAIN}`,
  longest: 253,
  message:
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
  examples: ["*.example.com"],
});

export const labelValue = form({
  pattern: "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?",
  longest: 63,
  unit: "bytes",
  message:
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  examples: ["MyValue", "my_value", "12345"],
});

const namePart = form({
  pattern: "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]",
  longest: 63,
  unit: "bytes",
  message:
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  examples: ["MyName", "my.name", "123-abc"],
});

/** Keys of labels and annotations, and whatever else may have a domain before a slash. */
export const qualifiedName: Format = (value) => {
  const parts = value.split("/");
  if (parts.length > 2) {
    const optional = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
    return [`a valid label key ${namePart("")[0] ?? ""} ${optional}`];
  }
  const name = parts.at(-1) ?? "";
  const errors: string[] = [];
  if (parts.length === 2) {
    const prefix = parts[0] ?? "";
    if (prefix === "") errors.push(`prefix part ${EMPTY}`);
    else errors.push(...dnsSubdomainInBytes(prefix).map((message) => `prefix part ${message}`));
  }
  if (name === "") return [...errors, `name part ${EMPTY}`, `name part ${namePart("")[0] ?? ""}`];
  return [...errors, ...namePart(name).map((message) => `name part ${message}`)];
};

/** What can stand as one step of a URL's path. */
export const pathSegment: Format = (value) => {
  if (value === "." || value === "..") return [`may not be '${value}'`];
  return ["/", "%"].filter((part) => value.includes(part)).map((part) => `may not contain '${part}'`);
};

function dots(value: string): string[] {
  if (value === "." || value === "..") return [`must not be '${value}'`];
  return value.startsWith("..") ? ["must not start with '..'"] : [];
}

const configMapKeyForm = form({
  pattern: "[-._a-zA-Z0-9]+",
  longest: 253,
  message: "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  examples: ["key.name", "KEY_NAME", "key-name"],
});
export const configMapKey: Format = (value) => [...configMapKeyForm(value), ...dots(value)];

/** Any printable ASCII but `=`. */
export const environmentName: Format = (value) => [
  ...(value === "" ? [`environment variable name ${EMPTY}`] : []),
  ...(/^[ -<>-~]*$/.test(value)
    ? []
    : ["a valid environment variable name must consist only of printable ASCII characters other than '='"]),
];

export const portName: Format = (value) => [
  ...(bytes(value) > 15 ? [maxLength(15)] : []),
  ...(/^[-a-z0-9]+$/.test(value) ? [] : ["must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"]),
  ...(/[a-z]/.test(value) ? [] : ["must contain at least one letter (a-z)"]),
  ...(value.includes("--") ? ["must not contain consecutive hyphens"] : []),
  ...(value.startsWith("-") || value.endsWith("-") ? ["must not begin or end with a hyphen"] : []),
];

export const percent = form({
  pattern: "[0-9]+%",
  message: "a valid percent string must be a numeric string followed by an ending '%'",
  examples: ["1%", "93%"],
});

export const httpHeaderName = form({
  pattern: "[-A-Za-z0-9]+",
  message: "a valid HTTP header must consist of alphanumeric characters or '-'",
  examples: ["X-Header-Name"],
});

export const inRange = (value: number, low: number, high: number) =>
  value >= low && value <= high ? [] : [inclusiveRange(low, high)];
export const portNumber = (value: number) => inRange(value, 1, 65535);
export const userOrGroupId = (value: number) => inRange(value, 0, MAX_INT32);
