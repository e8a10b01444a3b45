// Plug-ins `CertificateApproval`, `CertificateSigning` and `CertificateSubjectRestriction`: who may speak for a signer,
// and whose certificate no request can get.
import type { AdmissionAttributes, AdmissionPlugin, Authorizer, JsonObject } from "../contract.ts";
import { deepEqual, objectAt, stringAt } from "../json.ts";
import { refuse } from "./refuse.ts";

const GROUP = "certificates.k8s.io";
const CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client";
const MASTERS = "system:masters";

const isUpdateOf = ({ group, resource, subresource, operation }: AdmissionAttributes, door: string) =>
  group === GROUP && resource === "certificatesigningrequests" && subresource === door && operation === "UPDATE";

export function certificateApproval(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: "CertificateApproval",
    judges: true,
    async admit(attributes) {
      if (!isUpdateOf(attributes, "approval")) return attributes.object;
      const signer = stringAt(attributes.oldObject, "spec", "signerName");
      if (!maySpeakFor(authorizer, attributes, { verb: "approve", signer })) {
        throw refuse(attributes, `user not permitted to approve requests with signerName ${JSON.stringify(signer)}`);
      }
      return attributes.object;
    },
  };
}

export function certificateSigning(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: "CertificateSigning",
    judges: true,
    async admit(attributes) {
      const { object, oldObject } = attributes;
      if (!isUpdateOf(attributes, "status")) return object;
      const signed = (one: JsonObject | undefined, field: string) => objectAt(one, "status")[field];
      const isSame = ["certificate", "conditions"].every((field) =>
        deepEqual(signed(object, field), signed(oldObject, field)),
      );
      const signer = stringAt(oldObject, "spec", "signerName");
      if (isSame || maySpeakFor(authorizer, attributes, { verb: "sign", signer })) return object;
      throw refuse(attributes, `user not permitted to sign requests with signerName ${JSON.stringify(signer)}`);
    },
  };
}

/** Nobody becomes a member of the group that may everything by a request. */
export function certificateSubject(): AdmissionPlugin {
  return {
    name: "CertificateSubjectRestriction",
    judges: true,
    async admit(attributes) {
      const { group, resource, subresource, operation, object } = attributes;
      const isNew = group === GROUP && resource === "certificatesigningrequests" && subresource === "";
      if (!isNew || operation !== "CREATE" || stringAt(object, "spec", "signerName") !== CLIENT_SIGNER) return object;
      const pem = Buffer.from(stringAt(object, "spec", "request"), "base64").toString();
      // Loaded when a request comes: most clusters never see one.
      const { organizationsOfCsr } = await import("#pki/csr");
      if (!organizationsOfCsr(pem).includes(MASTERS)) return object;
      throw refuse(attributes, `use of ${CLIENT_SIGNER} signer with ${MASTERS} group is not allowed`);
    },
  };
}

/** By the signer's name, or by that of all signers of its domain. */
function maySpeakFor(
  authorizer: Authorizer,
  { user }: AdmissionAttributes,
  { verb, signer }: { readonly verb: string; readonly signer: string },
): boolean {
  return [signer, `${signer.split("/")[0]}/*`].some(
    (name) =>
      authorizer.authorize(user, {
        isResource: true,
        path: "",
        verb,
        group: GROUP,
        version: "*",
        resource: "signers",
        subresource: "",
        namespace: "",
        name,
      }).allowed,
  );
}
