import { describe, expect, it } from "vitest";
import { type KubeClient, KubeError } from "#kube/kube-client";
import { putCaCerts } from "./common-root.ts";

const CERTS = { "ca-cert.pem": "a", "ca-key.pem": "b", "root-cert.pem": "c", "cert-chain.pem": "d" };

/** A client whose creations end one after the other as told; it remembers what was asked for. */
function clientThat(...answers: (number | undefined)[]) {
  const asked: string[] = [];
  const create = async (type: { kind: string }, object: unknown) => {
    asked.push(type.kind);
    const status = answers.shift();
    if (status !== undefined) throw new KubeError(status, "Why", "why");
    return object;
  };
  return { asked, client: { server: "https://a", create } as unknown as KubeClient };
}

describe("the Secret of the common root", () => {
  it("is asked for again while no answer comes", async () => {
    const { asked, client } = clientThat(0, undefined, 0, undefined, undefined);
    await putCaCerts(client, CERTS);
    expect(asked).toEqual(["Namespace", "Namespace", "Secret", "Namespace", "Secret"]);
  });

  it("may be there already", async () => {
    const { client } = clientThat(409, 409);
    await putCaCerts(client, CERTS);
  });

  it("fails at once when it is refused", async () => {
    const { asked, client } = clientThat(403);
    await expect(putCaCerts(client, CERTS)).rejects.toMatchObject({ status: 403 });
    expect(asked).toEqual(["Namespace"]);
  });
});
