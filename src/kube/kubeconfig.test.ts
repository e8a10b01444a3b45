import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadKubeConfig, parseKubeConfig } from "./kubeconfig.ts";

const base64 = (text: string) => Buffer.from(text).toString("base64");

/** One cluster, one user, one context of the same name. */
const config = (name: string, { cluster = {}, user = {}, ...rest }: Record<string, object | string> = {}) =>
  JSON.stringify({
    clusters: [{ name, cluster: { server: `https://${name}:6443/`, ...(cluster as object) } }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    "current-context": name,
    ...rest,
  });

let dir: string;
const at = (name: string) => join(dir, name);

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "isthmus-kubeconfig-"));
  mkdirSync(at("keys"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe("several kubeconfig files", () => {
  test("merge: the first that names a thing wins, missing files are passed over", () => {
    writeFileSync(at("one"), config("c1"));
    writeFileSync(at("two"), config("c2", { "current-context": "c2" }).replace('"c2","cluster"', '"c2","cluster"'));
    writeFileSync(at("three"), config("c1", { cluster: { server: "https://other" } }));
    const environment = [at("missing"), at("one"), at("two"), at("three")].join(delimiter);
    expect(loadKubeConfig({ environment })).toMatchObject({ contextName: "c1", server: "https://c1:6443" });
    expect(loadKubeConfig({ environment, context: "c2" })).toMatchObject({ server: "https://c2:6443" });
  });

  test("one that is named must be there", () => {
    expect(() => loadKubeConfig({ path: at("missing") })).toThrow(`cannot read kubeconfig ${at("missing")}`);
  });

  test("none at all: the error says where it looked and what to do", () => {
    const look = () => loadKubeConfig({ environment: at("missing") });
    expect(look).toThrow(at("missing"));
    expect(look).toThrow(expect.objectContaining({ code: "KUBECONFIG_MISSING", hint: expect.stringContaining("env") }));
  });
});

describe("a user's credentials", () => {
  test("file names are relative to the file that names them", async () => {
    for (const name of ["ca", "cert", "key", "token"]) writeFileSync(at(`keys/${name}`), `${name} text\n`);
    const user = { "client-certificate": "keys/cert", "client-key": "keys/key", tokenFile: "keys/token" };
    writeFileSync(at("files"), config("c", { cluster: { "certificate-authority": "keys/ca" }, user }));
    const access = loadKubeConfig({ path: at("files") });
    expect(access).toMatchObject({ caPem: "ca text\n", clientCertPem: "cert text\n", clientKeyPem: "key text\n" });
    expect(await access.authorization?.()).toBe("Bearer token text");
    writeFileSync(at("keys/token"), "rotated");
    expect(await access.authorization?.()).toBe("Bearer rotated");
  });

  test("inline data wins over a file", () => {
    const cluster = { "certificate-authority-data": base64("inline"), "certificate-authority": "/nowhere" };
    expect(parseKubeConfig(config("c", { cluster })).caPem).toBe("inline");
  });

  test.each([
    ["a token", { token: "t" }, "Bearer t"],
    ["a name and a password", { username: "u", password: "p:q" }, `Basic ${base64("u:p:q")}`],
  ])("%s", async (_name, user, header) => {
    expect(await parseKubeConfig(config("c", { user })).authorization?.()).toBe(header);
  });

  test("an exec plugin is asked for its token", async () => {
    const credential = {
      apiVersion: "client.authentication.k8s.io/v1",
      kind: "ExecCredential",
      status: { token: "made" },
    };
    const exec = {
      apiVersion: credential.apiVersion,
      command: "sh",
      args: ["-c", `printf %s '${JSON.stringify(credential)}'`],
      interactiveMode: "Never",
    };
    expect(await parseKubeConfig(config("c", { user: { exec } })).authorization?.()).toBe("Bearer made");
  });

  test("none is no authorization", () => {
    expect(parseKubeConfig(config("c")).authorization).toBeUndefined();
  });
});

describe("a kubeconfig that cannot be used", () => {
  test.each([
    ["is not YAML", "a: [", "KUBECONFIG_INVALID", "kubeconfig is not YAML"],
    ["is a list", "[]", "KUBECONFIG_INVALID", "expected a mapping"],
    ["is empty", "", "KUBECONFIG_INVALID", "expected a mapping"],
    ["has no such context", config("c", { "current-context": "d" }), "CONTEXT_UNKNOWN", 'context "d" does not exist'],
    [
      "has no server",
      config("c", { clusters: "" }).replace('"clusters":""', '"clusters":[]'),
      "KUBECONFIG_INVALID",
      "no server",
    ],
  ])("%s: says what and never repeats the text", (_name, text, code, message) => {
    const read = () => parseKubeConfig(text);
    expect(read).toThrow(expect.objectContaining({ code }));
    expect(read).toThrow(message);
  });

  test("broken YAML never carries its secrets into the error", () => {
    const text = "users:\n- name: u\n  user: {token: very-secret\n";
    let thrown: unknown;
    try {
      parseKubeConfig(text);
    } catch (error) {
      thrown = error;
    }
    expect(String(thrown)).not.toContain("very-secret");
    expect(String((thrown as Error).cause)).not.toContain("very-secret");
  });
});
