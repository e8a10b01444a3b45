import { expect, it } from "vitest";
import type { MtlsMode, PeerAuthentication } from "#api/security/peer-authentication/types";
import { mtlsModeOf, type Policy } from "./policies.ts";

const policy = (namespace: string, spec: Partial<PeerAuthentication>, created = 0): Policy<PeerAuthentication> => ({
  namespace,
  name: `p${created}`,
  created,
  spec: { selector: {}, mode: "UNSET", portLevelMtls: {}, ...spec },
});
const app = { app: "x" };
const root = (mode: MtlsMode) => policy("istio-system", { mode });
const space = (mode: MtlsMode) => policy("sample", { mode });
const own = (mode: MtlsMode, portLevelMtls: Record<number, MtlsMode> = {}) =>
  policy("sample", { mode, selector: app, portLevelMtls });

it.each([
  ["nothing", [], 80, "PERMISSIVE"],
  ["the root namespace", [root("STRICT")], 80, "STRICT"],
  ["the namespace over the root", [root("STRICT"), space("DISABLE")], 80, "DISABLE"],
  ["the workload over the namespace", [space("DISABLE"), own("STRICT")], 80, "STRICT"],
  ["UNSET inherits", [space("STRICT"), own("UNSET")], 80, "STRICT"],
  ["the port over the workload", [own("STRICT", { 80: "DISABLE" })], 80, "DISABLE"],
  ["another port", [own("STRICT", { 81: "DISABLE" })], 80, "STRICT"],
  ["a port without mode inherits", [space("STRICT"), own("UNSET", { 80: "UNSET" })], 80, "STRICT"],
  ["other workloads do not count", [policy("sample", { mode: "STRICT", selector: { app: "y" } })], 80, "PERMISSIVE"],
  ["other namespaces do not count", [policy("other", { mode: "STRICT" })], 80, "PERMISSIVE"],
  [
    "the oldest of a level",
    [policy("sample", { mode: "STRICT" }, 1), policy("sample", { mode: "DISABLE" }, 2)],
    80,
    "STRICT",
  ],
] as const)("mTLS mode: %s", (_name, policies, port, expected) => {
  expect(mtlsModeOf(policies, "istio-system", { namespace: "sample", labels: app }, port)).toBe(expected);
});
