// gRPC over TLS with real certificates; here because the room grpc knows no keys.
import { afterEach, expect, test } from "vitest";
import { silentLogger } from "#base/logger";
import { createGrpcChannel } from "#grpc/channel";
import { createGrpcServer, type GrpcMethod } from "#grpc/server";
import { createCa, issueCertificate } from "#pki/issue-certificate";

const URI = "spiffe://cluster.local/ns/sample/sa/sleep";
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Answers who the caller is, by its verified certificate. */
const who: GrpcMethod = {
  kind: "unary",
  path: "/t.T/Who",
  handle: async (_, { peer }) => Buffer.from(JSON.stringify({ encrypted: peer.encrypted, uris: peer.uris })),
};

async function start() {
  const ca = await createCa({ commonName: "root" });
  const stranger = await createCa({ commonName: "another root" });
  const serverFor = async (name: string) => {
    const { certificatePem, privateKeyPem } = await issueCertificate(ca, {
      dnsNames: [name],
      usages: ["server"],
      validSeconds: 3600,
    });
    return { cert: certificatePem, key: privateKeyPem, ca: ca.certificatePem };
  };
  const clientOf = async (issuer: typeof ca) => {
    const { certificatePem, privateKeyPem } = await issueCertificate(issuer, {
      uris: [URI],
      usages: ["client"],
      validSeconds: 3600,
    });
    return { cert: certificatePem, key: privateKeyPem };
  };
  const server = createGrpcServer({ services: [who], tls: await serverFor("istiod.test"), logger: silentLogger() });
  const port = await server.listen({ port: 0, host: "127.0.0.1" });
  closers.push(() => server.close());
  const ask = async (tls: { ca: string; cert?: string; key?: string; servername: string }) => {
    const channel = createGrpcChannel({ target: `127.0.0.1:${port}`, tls: () => tls });
    closers.push(() => channel.close());
    return JSON.parse((await channel.unary("/t.T/Who", Buffer.alloc(0), { timeoutMs: 60_000 })).toString());
  };
  return { ca: ca.certificatePem, server, serverFor, ask, mine: await clientOf(ca), theirs: await clientOf(stranger) };
}

test("the caller's names count only when its certificate is of our root", async () => {
  const { ca, ask, mine, theirs } = await start();
  expect(await ask({ ca, servername: "istiod.test", ...mine })).toEqual({ encrypted: true, uris: [URI] });
  expect(await ask({ ca, servername: "istiod.test", ...theirs })).toEqual({ encrypted: true, uris: [] });
  expect(await ask({ ca, servername: "istiod.test" })).toEqual({ encrypted: true, uris: [] });
});

test("a server of another name is refused; its new certificate serves the next connection", async () => {
  const { ca, ask, server, serverFor } = await start();
  await expect(ask({ ca, servername: "renamed.test" })).rejects.toMatchObject({ code: "unavailable" });
  server.updateTls(await serverFor("renamed.test"));
  expect(await ask({ ca, servername: "renamed.test" })).toMatchObject({ encrypted: true });
  await expect(ask({ ca, servername: "istiod.test" })).rejects.toMatchObject({ code: "unavailable" });
});
