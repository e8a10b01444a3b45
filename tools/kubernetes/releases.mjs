// The releases that can be built here: what each consists of. Versions and checksums stand in the go.mod and go.sum that
// each Go module names; the dates are those of the tags.

const K8S = "k8s.io/kubernetes/cmd/";

/** What every binary of a Kubernetes release is told about itself. */
function stamps(version, date) {
  const [major, minor] = version.split(".");
  const facts = {
    gitVersion: `v${version}`,
    gitMajor: major,
    gitMinor: minor,
    gitTreeState: "clean",
    // The module proxy hands out no commit; clients then call themselves by it "unknown".
    gitCommit: "",
    buildDate: date,
  };
  return ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"].flatMap((path) =>
    Object.entries(facts).map(([name, value]) => ["-X", `${path}.${name}=${value}`]),
  );
}

function kubernetes(version, date, module, names) {
  const says = { match: new RegExp(`v${version.split(".").slice(0, 2).join("\\.")}\\.\\d+`), args: ["--version"] };
  return Object.fromEntries(
    names.map((name) => [
      name,
      {
        package: `${K8S}${name}`,
        module,
        version,
        ldflags: stamps(version, date).flat(),
        // kubectl alone has a command for it.
        says: name === "kubectl" ? { ...says, args: ["version", "--client"] } : says,
      },
    ]),
  );
}

const etcd = {
  etcd: {
    package: "go.etcd.io/etcd/server/v3",
    module: "etcd",
    version: "3.6.5",
    ldflags: [],
    says: { match: /etcd Version: 3\.6\.\d+/, args: ["--version"] },
  },
};

const CONTROL_PLANE = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"];

/** The release that `--engine kubernetes` runs. */
export const DEFAULT_RELEASE = "1.35.4";

/** By version: each program's Go package, the Go module (a folder here) that pins it, and how it tells its version. */
export const RELEASES = {
  "1.35.4": {
    ...etcd,
    ...kubernetes("1.35.4", "2026-04-15T18:01:22Z", ".", [...CONTROL_PLANE, "kubectl", "kubelet", "kube-proxy"]),
  },
  "1.36.3": {
    ...etcd,
    ...kubernetes("1.36.3", "2026-07-22T18:07:38Z", "1.36", ["kube-apiserver", "kube-controller-manager", "kubectl"]),
  },
};
