// Certificate requests: who may approve and sign for a signer, and what no request gets.
import { builtin, type SequenceBuilder } from "../../generate/builder.ts";
import type { JsonMap } from "../../step.ts";

const csr = builtin("certificates.k8s.io", "CertificateSigningRequest");
const role = builtin("rbac.authorization.k8s.io", "ClusterRole");
const binding = builtin("rbac.authorization.k8s.io", "ClusterRoleBinding");

/** A P-256 request for O=system:masters, CN=alice. */
const MASTERS =
  "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIa01JR0xBZ0VBTUNreEZ6QVZCZ05WQkFvTURuTjVjM1JsYlRwdFlYTjBaWEp6TVE0d0RBWURWUVFEREFWaApiR2xqWlRCWk1CTUdCeXFHU000OUFnRUdDQ3FHU000OUF3RUhBMElBQkRzRDJtRmkyYzNjMFB1eXFpYmoyMUk5ClBvaXBCTm1WMDZKMWF6WTFtMXJXZGVkMWNRRldxWXdQOEJQRVJjRGo5Qk1WbThGOWx5Vk5hOVA4NnU2T2ttU2cKQURBS0JnZ3Foa2pPUFFRREFnTklBREJGQWlBbDVMS1k0S0FldXlSbzdzaVpDZzNNNC9UNGdJUDBpRHA2Znh6SwpnV096aFFJaEFOdTArY1NESjRRZ2hiU2ZrV0tNenVMbkhDRWZQcDIrZndJNHJFczh6dnhKCi0tLS0tRU5EIENFUlRJRklDQVRFIFJFUVVFU1QtLS0tLQo=";

const NAME = "r-{{seq}}";
const SIGNER = "{{seq}}.example.com/signer";

export function certificates(builder: SequenceBuilder): void {
  const { random } = builder;
  const user = random.pick(["alice", "bob"]);
  const right = random.pick<JsonMap[]>([
    [],
    [rule("signers", ["approve", "sign"], [SIGNER])],
    [rule("signers", ["approve"], ["{{seq}}.example.com/*"])],
    [rule("signers", ["sign"], ["{{seq}}.example.com/*"])],
  ]);
  const doors = ["", "/approval", "/status"].map((door) =>
    rule(`certificatesigningrequests${door}`, ["get", "update", "patch"], [NAME]),
  );
  builder.create(role, NAME, { more: { rules: [...right, ...doors] } });
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: NAME };
  const subjects = [{ kind: "User", name: user, apiGroup: "rbac.authorization.k8s.io" }];
  builder.create(binding, NAME, { more: { roleRef, subjects } });
  builder.create(csr, NAME, { more: spec(builder, SIGNER) });
  builder.get(csr, NAME, { user, until: { status: 200 }, verb: "await-role" });
  // Each condition once: one that is written again is another one a second later.
  for (const [door, type] of random.some(CONDITIONS, 2)) {
    const read = builder.get(csr, NAME);
    const status = random.chance(0.8) ? { conditions: [{ type, status: "True", reason: "Own" }] } : {};
    builder.send("PUT", builder.at(csr, NAME, door), {
      verb: "update",
      kindName: `CertificateSigningRequest/${door}`,
      body: { copyOf: read, edit: { status } },
      user,
    });
  }
  const signerName = random.pick(["kubernetes.io/kube-apiserver-client", "kubernetes.io/kubelet-serving", SIGNER]);
  const request = { spec: { request: MASTERS, signerName, usages: ["client auth"] } };
  builder.create(csr, "m-{{seq}}", { more: request });
}

const CONDITIONS = [
  ["approval", "Approved"],
  ["status", "Own"],
  ["approval", "Denied"],
  ["status", "Failed"],
] as const;

const rule = (resource: string, verbs: string[], resourceNames: string[]): JsonMap => ({
  apiGroups: ["certificates.k8s.io"],
  resources: [resource],
  verbs,
  resourceNames,
});

function spec(builder: SequenceBuilder, signerName: string): JsonMap {
  return { spec: { ...(csr.template.make(builder.random)["spec"] as JsonMap), signerName } };
}
