// A remote secret is written by whoever may write Secrets; its kubeconfig must not make this program run commands or
// read files of its own pod.
import { parse } from "yaml";
import { isJson } from "#api/field-reader";
import { MeshError } from "#base/mesh-error";

const REFUSED_USER_FIELDS: readonly (readonly [field: string, why: string])[] = [
  ["exec", "runs a command"],
  ["tokenFile", "reads a file of the control plane"],
  ["client-certificate", "reads a file of the control plane"],
  ["client-key", "reads a file of the control plane"],
];

const ALLOWED_AUTH_PROVIDER = "oidc";

/** Throws MeshError REMOTE_KUBECONFIG_REFUSED with a sentence when the text is empty, unreadable or unsafe. */
export function checkKubeconfig(text: string): void {
  if (text.trim() === "") throw refused("it is empty");
  for (const user of usersOf(parseYaml(text))) {
    const { name, fields } = user;
    for (const [field, why] of REFUSED_USER_FIELDS) {
      if (fields[field] !== undefined) throw refused(`user "${name}" uses ${field}, which ${why}`);
    }
    const provider = fields["auth-provider"];
    if (provider === undefined) continue;
    const providerName = isJson(provider) ? String(provider["name"]) : "unnamed";
    if (providerName !== ALLOWED_AUTH_PROVIDER) throw refused(`user "${name}" uses the auth provider ${providerName}`);
  }
}

function parseYaml(text: string): unknown {
  try {
    return parse(text);
  } catch {
    throw refused("it is not YAML"); // the parser's own error quotes the line, and lines of a kubeconfig hold tokens
  }
}

function usersOf(
  document: unknown,
): readonly { readonly name: string; readonly fields: Readonly<Record<string, unknown>> }[] {
  if (!isJson(document)) throw refused("it is not a kubeconfig");
  const users = Array.isArray(document["users"]) ? document["users"] : [];
  return users.filter(isJson).map((entry) => ({
    name: String(entry["name"]),
    fields: isJson(entry["user"]) ? entry["user"] : {},
  }));
}

function refused(why: string): MeshError {
  return new MeshError("REMOTE_KUBECONFIG_REFUSED", `the kubeconfig is refused: ${why}`, {
    hint: "make the secret again with istioctl create-remote-secret; credentials must be inline",
  });
}
