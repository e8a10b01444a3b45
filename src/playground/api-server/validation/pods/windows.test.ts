import { expect, test } from "vitest";
import { checkHostProcess, checkWindowsOptions, checkWindowsPod } from "./windows.ts";

test.each([
  ["ContainerAdministrator", []],
  ["corp.example.com\\joe", []],
  ["", ["runAsUserName cannot be an empty string"]],
  ["a\\b\\c", ["runAsUserName cannot contain more than one backslash"]],
  [".x\\joe", ["runAsUserName's Domain doesn't match the NetBios nor the DNS format"]],
  ["..", ["runAsUserName's User cannot contain only periods or spaces"]],
  ["a/b", [`runAsUserName's User cannot contain the following characters: "/\\:;|=,+*?<>@[]`]],
])("user %j", (runAsUserName, details) => {
  expect(checkWindowsOptions("o", { runAsUserName }).map(({ detail }) => detail)).toEqual(details);
});

test("processes of the host need its network, and are all of a pod's or none", () => {
  const securityContext = { windowsOptions: { hostProcess: true } };
  const errors = checkHostProcess("spec", { containers: [{ name: "a", securityContext }, { name: "b" }] });
  expect(errors.map(({ field }) => field)).toEqual(["spec", "spec.hostNetwork"]);
});

test("a pod of Windows has nothing that only Linux knows", () => {
  const containers = [{ name: "a", securityContext: { capabilities: {}, runAsUser: 1 } }];
  const errors = checkWindowsPod("spec", { hostPID: false, securityContext: { fsGroup: 1 }, containers });
  expect(errors.map(({ field }) => field)).toEqual([
    "spec.securityContext.fsGroup",
    "spec.containers[0].securityContext.capabilities",
    "spec.containers[0].securityContext.runAsUser",
  ]);
});
