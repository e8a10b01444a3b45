import { expect, test } from "vitest";
import type { Container, Pod, SecurityContext } from "#api/kubernetes/gen/types";
import { processIdentity, setprivArguments } from "./process-identity.ts";

const container = (securityContext: SecurityContext): Container => ({ name: "c", securityContext });
const pod = (securityContext = {}): Pod => ({ spec: { containers: [], securityContext } });

const image = (user: string, userName?: string) => ({
  user,
  ...(userName === undefined ? {} : { userName }),
  account: (uid: number) => (uid === 7 ? { gid: 8, home: "/home/seven", groups: [9] } : undefined),
});

test("the proxy of a mesh: its own user, nothing allowed, the pod's fsGroup", () => {
  const identity = processIdentity(
    pod({ fsGroup: 1337, runAsUser: 5 }),
    container({ runAsUser: 1337, runAsGroup: 1337, allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } }),
    image("0"),
  );
  expect(identity).toEqual({ uid: 1337, gid: 1337, groups: [1337], capabilities: [], noNewPrivileges: true });
  expect(setprivArguments(identity)).toContain("--bounding-set=-all");
});

test("istio-init: root with two capabilities and no others", () => {
  const identity = processIdentity(
    pod(),
    container({ runAsUser: 0, capabilities: { add: ["NET_ADMIN", "CAP_NET_RAW"], drop: ["ALL"] } }),
    image("1337:1337"),
  );
  expect(identity).toMatchObject({ uid: 0, gid: 0, capabilities: ["NET_ADMIN", "NET_RAW"], noNewPrivileges: false });
});

test("a privileged container keeps everything, and runAsNonRoot refuses root", () => {
  expect(processIdentity(pod(), container({ privileged: true }), image("0")).capabilities).toBe("all");
  expect(() => processIdentity(pod({ runAsNonRoot: true }), container({}), image("0"))).toThrow(/runAsNonRoot/);
  expect(processIdentity(pod({ runAsNonRoot: true }), container({}), image("100:101"))).toMatchObject({
    uid: 100,
    gid: 101,
  });
});

test("a user that the image knows has its groups there, unless the pod says all itself", () => {
  const groups = (context: object) => processIdentity(pod(context), container({ runAsUser: 7 }), image("0")).groups;
  expect(groups({ supplementalGroups: [4], fsGroup: 2 })).toEqual([8, 9, 4, 2]);
  expect(groups({ supplementalGroups: [4], supplementalGroupsPolicy: "Strict" })).toEqual([8, 4]);
  expect(groups({ runAsGroup: 5 })).toEqual([5, 9]);
});

test("whom the image names by a word may be root", () => {
  const strict = pod({ runAsNonRoot: true });
  expect(() => processIdentity(strict, container({}), image("7:8", "seven"))).toThrow(
    /^container has runAsNonRoot and image has non-numeric user \(seven\), cannot verify user is non-root \(pod: /,
  );
  expect(processIdentity(strict, container({ runAsUser: 7 }), image("7:8", "seven")).uid).toBe(7);
});
