const LABEL = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const SENTENCE =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

/** What is wrong with a name that must be a label of RFC 1035. */
export function dns1035Label(name: string): string[] {
  return [
    ...(Buffer.byteLength(name) > 63 ? ["must be no more than 63 characters"] : []),
    ...(LABEL.test(name) ? [] : [SENTENCE]),
  ];
}
