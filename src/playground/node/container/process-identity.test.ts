import { expect, test } from "vitest";
import type { Container, Pod, SecurityContext } from "#api/kubernetes/gen/types";
import { processIdentity, setprivArguments } from "./process-identity.ts";

const container = (securityContext: SecurityContext): Container => ({ name: "c", securityContext });
const pod = (securityContext = {}): Pod => ({ spec: { containers: [], securityContext } });

test("the proxy of a mesh: its own user, nothing allowed, the pod's fsGroup", () => {
  const identity = processIdentity(
    pod({ fsGroup: 1337, runAsUser: 5 }),
    container({ runAsUser: 1337, runAsGroup: 1337, allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } }),
    "0",
  );
  expect(identity).toEqual({ uid: 1337, gid: 1337, groups: [1337], capabilities: [], noNewPrivileges: true });
  expect(setprivArguments(identity)).toContain("--bounding-set=-all");
});

test("istio-init: root with two capabilities and no others", () => {
  const identity = processIdentity(
    pod(),
    container({ runAsUser: 0, capabilities: { add: ["NET_ADMIN", "CAP_NET_RAW"], drop: ["ALL"] } }),
    "1337:1337",
  );
  expect(identity).toMatchObject({ uid: 0, gid: 0, capabilities: ["NET_ADMIN", "NET_RAW"], noNewPrivileges: false });
});

test("a privileged container keeps everything, and runAsNonRoot refuses root", () => {
  expect(processIdentity(pod(), container({ privileged: true }), "0").capabilities).toBe("all");
  expect(() => processIdentity(pod({ runAsNonRoot: true }), container({}), "0")).toThrow(/runAsNonRoot/);
  expect(processIdentity(pod({ runAsNonRoot: true }), container({}), "100:101")).toMatchObject({ uid: 100, gid: 101 });
});
