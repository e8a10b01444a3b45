import { once } from "node:events";
import { connect, createSecureServer, type Http2SecureServer } from "node:http2";
import { type RequestOptions, request } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { silentLogger } from "#base/logger";
import { type CertificateAndKey, createCa, issueCertificate } from "#pki/issue-certificate";
import { type ClusterPki, clusterPki } from "../../../../tests/kit/cluster-pki.ts";
import { ManualClock } from "../../../../tests/kit/manual-clock.ts";
import { type MemoryObjects, memoryObjects } from "../../../../tests/kit/memory-objects.ts";
import type { ApiStatusError, Authorizer, JsonObject, UserInfo, VirtualResource } from "../contract.ts";
import { createAuthenticator } from "./create-authenticator.ts";
import { createAuthorizer } from "./create-authorizer.ts";
import { createVirtualResources } from "./create-virtual-resources.ts";
import { createTokenSigner } from "./service-account-tokens.ts";

let pki: ClusterPki;
let server: Http2SecureServer;
let port: number;
let objects: MemoryObjects;
let clock: ManualClock;
let authenticate: ReturnType<typeof createAuthenticator>;
let authorizer: Authorizer;
let resources: VirtualResource[];

beforeAll(async () => {
  pki = await clusterPki();
  const options = {
    key: pki.server.privateKeyPem,
    cert: pki.server.certificatePem,
    ca: pki.clientCa.certificatePem,
    requestCert: true,
    rejectUnauthorized: false,
    allowHTTP1: true,
  };
  server = createSecureServer(options, (incoming, response) => {
    authenticate.authenticate(incoming).then(
      (user) => response.end(JSON.stringify(user)),
      (error: ApiStatusError) => {
        response.writeHead(error.code);
        response.end(error.message);
      },
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  port = (server.address() as AddressInfo).port;
});

afterAll(() => {
  server.close();
  pki.remove();
});

beforeEach(() => {
  objects = memoryObjects();
  clock = new ManualClock(Date.now());
  const parts = { config: pki.config, objects, logger: silentLogger(), clock };
  authorizer = createAuthorizer(parts);
  authenticate = createAuthenticator({ ...parts, authorizer });
  resources = createVirtualResources({ ...parts, authorizer, authenticator: authenticate });
  objects.put("", "serviceaccounts", { metadata: { namespace: "sample", name: "sleep", uid: "sa-1" } });
  objects.put("", "pods", {
    metadata: { namespace: "sample", name: "sleep-1", uid: "pod-1" },
    spec: { serviceAccountName: "sleep", nodeName: "node-a" },
  });
  objects.put("", "nodes", { metadata: { name: "node-a", uid: "node-1" } });
});

interface Answer {
  readonly code: number;
  readonly body: string;
}

async function call(options: RequestOptions & { headers?: Record<string, string | string[]> } = {}): Promise<Answer> {
  const outgoing = request({ host: "127.0.0.1", port, agent: false, ca: pki.serverCa.certificatePem, ...options });
  outgoing.end();
  const [response] = await once(outgoing, "response");
  return { code: response.statusCode, body: await text(response) };
}

const withCertificate = ({ certificatePem, privateKeyPem }: CertificateAndKey) => ({
  cert: certificatePem,
  key: privateKeyPem,
});
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

function create(
  resource: string,
  subresource: string | undefined,
  ask: { name?: string; body: JsonObject; user?: UserInfo },
) {
  const found = resources.find((row) => row.resource === resource && row.subresource === subresource);
  if (found === undefined) throw new Error(`no ${resource}`);
  const { user = { username: "tester", groups: [] } } = ask;
  return found.create({ user, namespace: "sample", name: ask.name ?? "", body: ask.body });
}

async function requestToken(spec: JsonObject): Promise<string> {
  const answer = await create("serviceaccounts", "token", { name: "sleep", body: { spec } });
  return (answer["status"] as { token: string }).token;
}

async function review(token: string, audiences: string[] = []): Promise<JsonObject> {
  return (await create("tokenreviews", undefined, { body: { spec: { token, audiences } } }))["status"] as JsonObject;
}

describe("client certificates", () => {
  test("CN is the user and each O a group, over HTTP/1.1 and HTTP/2", async () => {
    const certificate = await pki.client("alice", "dev", "ops");
    const expected = {
      username: "alice",
      groups: ["dev", "ops", "system:authenticated"],
      extra: { "authentication.kubernetes.io/credential-id": [expect.stringMatching(/^X509SHA256=[0-9a-f]{64}$/)] },
    };
    expect(JSON.parse((await call(withCertificate(certificate))).body)).toEqual(expected);
    const session = connect(`https://127.0.0.1:${port}`, {
      ca: pki.serverCa.certificatePem,
      ...withCertificate(certificate),
    });
    expect(JSON.parse(await text(session.request({ ":path": "/" })))).toEqual(expected);
    session.close();
  });

  test("without any credential the caller is anonymous", async () => {
    expect(JSON.parse((await call()).body)).toEqual({
      username: "system:anonymous",
      groups: ["system:unauthenticated"],
    });
  });

  test("a certificate of another authority is 401, unless a good token comes along", async () => {
    const other = await createCa({ commonName: "test-client-ca" });
    const forged = await issueCertificate(other, {
      commonName: "alice",
      organizations: ["system:masters"],
      usages: ["client"],
      validSeconds: 3600,
    });
    expect(await call(withCertificate(forged))).toEqual({ code: 401, body: "Unauthorized" });
    const token = await requestToken({});
    const both = await call({ ...withCertificate(forged), ...bearer(token) });
    expect(JSON.parse(both.body).username).toBe("system:serviceaccount:sample:sleep");
  });

  test("a server certificate does not authenticate a client", async () => {
    const server = await issueCertificate(pki.clientCa, {
      commonName: "x",
      dnsNames: ["x"],
      usages: ["server"],
      validSeconds: 60,
    });
    expect((await call(withCertificate(server))).code).toBe(401);
  });

  test("an expired certificate is 401", async () => {
    const certificate = await pki.client("alice");
    clock.advance(3_700_000);
    expect((await call(withCertificate(certificate))).code).toBe(401);
  });
});

describe("bound tokens", () => {
  test("carry the service account's identity, groups and pod", async () => {
    const token = await requestToken({ boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "sleep-1" } });
    const user = JSON.parse((await call(bearer(token))).body);
    expect(user).toMatchObject({
      username: "system:serviceaccount:sample:sleep",
      uid: "sa-1",
      groups: ["system:serviceaccounts", "system:serviceaccounts:sample", "system:authenticated"],
    });
    expect(user.extra["authentication.kubernetes.io/pod-name"]).toEqual(["sleep-1"]);
    expect(user.extra["authentication.kubernetes.io/node-name"]).toEqual(["node-a"]);
  });

  test("are refused after their expiry", async () => {
    const token = await requestToken({ expirationSeconds: 600 });
    clock.advance(599_000);
    expect((await call(bearer(token))).code).toBe(200);
    clock.advance(2_000);
    expect((await call(bearer(token))).code).toBe(401);
  });

  test("die with their pod, and a new pod of the same name does not revive them", async () => {
    const token = await requestToken({ boundObjectRef: { kind: "Pod", name: "sleep-1" } });
    objects.remove("", "pods", "sample", "sleep-1");
    expect((await call(bearer(token))).code).toBe(401);
    objects.put("", "pods", { metadata: { namespace: "sample", name: "sleep-1", uid: "pod-2" } });
    expect((await call(bearer(token))).code).toBe(401);
  });

  test("die with their service account", async () => {
    const token = await requestToken({});
    objects.remove("", "serviceaccounts", "sample", "sleep");
    expect((await call(bearer(token))).code).toBe(401);
  });

  test("for another audience do not open the API, but pass a review for it", async () => {
    const token = await requestToken({ audiences: ["istio-ca"] });
    expect((await call(bearer(token))).code).toBe(401);
    expect(await review(token, ["istio-ca", "other"])).toMatchObject({
      authenticated: true,
      audiences: ["istio-ca"],
      user: { username: "system:serviceaccount:sample:sleep", uid: "sa-1" },
    });
    expect(await review(token)).toEqual({
      user: {},
      error:
        '[invalid bearer token, token audiences ["istio-ca"] is invalid for the target audiences ["https://kubernetes.default.svc.cluster.local"]]',
    });
  });

  test("of another cluster's key are refused", async () => {
    const other = await clusterPki();
    const now = Math.floor(clock.now() / 1000);
    const token = await createTokenSigner(other.config).signBound({
      namespace: "sample",
      serviceAccount: { name: "sleep", uid: "sa-1" },
      audiences: ["https://kubernetes.default.svc.cluster.local"],
      issuedAt: now,
      expiresAt: now + 600,
    });
    other.remove();
    expect((await call(bearer(token))).code).toBe(401);
  });

  test.each([
    [{ expirationSeconds: 599 }, "may not specify a duration less than 10 minutes"],
    [{ boundObjectRef: { kind: "Pod", name: "nobody" } }, 'pods "nobody" not found'],
    [{ boundObjectRef: { kind: "Pod", name: "sleep-1", uid: "x" } }, "does not match the UID in record"],
    [{ boundObjectRef: { kind: "Node", name: "node-a" } }, "cannot bind token to object of type /, Kind=Node"],
  ])("a request with %j is refused", async (spec, message) => {
    await expect(requestToken(spec)).rejects.toThrow(message);
  });

  test("a node gets them for its own pods alone, bound to them", async () => {
    const ask = (node: string, spec: JsonObject) => {
      const user = { username: `system:node:${node}`, groups: ["system:nodes"] };
      return create("serviceaccounts", "token", { name: "sleep", body: { spec }, user });
    };
    const boundObjectRef = { kind: "Pod", name: "sleep-1" };
    await ask("node-a", { boundObjectRef });
    await expect(ask("node-a", {})).rejects.toThrow("node requested token not bound to a pod");
    await expect(ask("node-b", { boundObjectRef })).rejects.toThrow("scheduled on a different node");
  });

  test("are not given for a pod of another service account", async () => {
    objects.put("", "pods", { metadata: { namespace: "sample", name: "p2" }, spec: { serviceAccountName: "other" } });
    await expect(requestToken({ boundObjectRef: { kind: "Pod", name: "p2" } })).rejects.toThrow("different service");
  });
});

describe("tokens in Secrets", () => {
  const storeToken = async () => {
    const signer = createTokenSigner(pki.config);
    const account = { name: "sleep", uid: "sa-1" };
    const token = await signer.signLegacy({ namespace: "sample", secretName: "sleep-token", serviceAccount: account });
    const data = { token: Buffer.from(token).toString("base64") };
    objects.put("", "secrets", { metadata: { namespace: "sample", name: "sleep-token" }, data });
    return token;
  };

  test("are good for as long as Secret and service account exist", async () => {
    const token = await storeToken();
    clock.advance(10 * 365 * 86_400_000);
    expect(JSON.parse((await call(bearer(token))).body).username).toBe("system:serviceaccount:sample:sleep");
    objects.remove("", "secrets", "sample", "sleep-token");
    expect((await call(bearer(token))).code).toBe(401);
  });

  test("are for the API server alone", async () => {
    expect(await review(await storeToken(), ["istio-ca"])).toMatchObject({ user: {} });
  });
});

describe("impersonation", () => {
  const as = async (headers: Record<string, string | string[]>) =>
    call({ ...withCertificate(await pki.client("root", "system:masters")), headers });

  test("a master may act as anyone", async () => {
    const answer = await as({ "impersonate-user": "bob", "impersonate-group": ["dev", "ops"] });
    expect(JSON.parse(answer.body)).toEqual({ username: "bob", groups: ["dev", "ops", "system:authenticated"] });
  });

  test("a service account brings its groups", async () => {
    const answer = await as({ "impersonate-user": "system:serviceaccount:sample:sleep" });
    expect(JSON.parse(answer.body).groups).toContain("system:serviceaccounts:sample");
  });

  test("others may not", async () => {
    const answer = await call({
      ...withCertificate(await pki.client("alice")),
      headers: { "impersonate-user": "bob" },
    });
    expect(answer).toMatchObject({
      code: 403,
      body: 'users "bob" is forbidden: User "alice" cannot impersonate resource "users" in API group "" at the cluster scope',
    });
  });
});
