import { expect, test } from "vitest";
import type { PodSpec } from "#api/kubernetes/gen/types";
import { unenforcedEvents } from "./unenforced.ts";

const of = (spec: Partial<PodSpec>) =>
  unenforcedEvents({ spec: { containers: [], ...spec } }).map(({ message }) => message);
const profile = (type: string) => ({ seccompProfile: { type } });

test("a profile that is not enforced is told once, wherever it is asked for; none is nothing to tell", () => {
  const containers = ["RuntimeDefault", "RuntimeDefault", "Unconfined"].map((type, index) => ({
    name: `c${index}`,
    securityContext: profile(type),
  }));
  const said = "seccomp profile RuntimeDefault is accepted and not enforced: containers of this node run unconfined";
  expect(of({ containers })).toEqual([said]);
  expect(of({ securityContext: profile("RuntimeDefault") })).toEqual([said]);
  expect(of({ securityContext: profile("Unconfined") })).toEqual([]);
  expect(of({ securityContext: { appArmorProfile: { type: "RuntimeDefault" } }, hostUsers: false })).toHaveLength(2);
});
