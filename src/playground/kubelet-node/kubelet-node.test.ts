import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import type { KubeletProcessConfig } from "../process-config.ts";
import { cgroupMounts, findCgroupFolders, makeCgroupFolders, removeCgroupFolders } from "./cgroup-folders.ts";
import { clusterDnsObjects } from "./cluster-dns-objects.ts";
import { findImageNames, readLayoutImages } from "./image-names.ts";
import { copyImageStore } from "./image-store.ts";
import { nodePaths } from "./node-paths.ts";
import { NodeProgram } from "./node-program.ts";
import { privateMountsScript } from "./private-mounts.ts";
import {
  renderCniConfig,
  renderContainerdConfig,
  renderKubeletConfig,
  renderKubeProxyConfig,
} from "./render-configs.ts";
import { findImage } from "./serve-images.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-kubelet-node-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const config: KubeletProcessConfig = {
  ...{ clusterName: "c", nodeName: "c-node", address: "172.30.0.11", outerInterface: "up0" },
  ...{ region: "r", zone: "z", podCIDR: "10.244.0.0/16", serviceCIDR: "10.96.0.0/16", dnsAddress: "10.96.0.10" },
  ...{ clusterDomain: "cluster.local", kubeconfig: "/k", stateDir: "/state", namePrefix: "c1-", imageCatalogues: [] },
  ...{ envoyBinary: "/envoy", readyFile: "/ready", logLevel: "info" },
  ...{ proxyKubeconfig: "/proxy", cgroup: "isthmus-id-c" },
  kubelet: { port: 10250, cert: "/kubelet.crt", key: "/kubelet.key", clientCaCert: "/client-ca.crt" },
  realNode: {
    programs: { kubelet: "/kubelet", kubeProxy: "/kube-proxy" },
    containerTools: { bin: ["/bin"], cni: "/cni" },
    images: { layout: "/images" },
    caCert: "/ca.crt",
    kubeconfigs: { kubelet: "/node", kubeProxy: "/proxy", admin: "/admin" },
    loadBalancerRange: { first: "172.30.0.64", last: "172.30.0.94" },
    logsDir: "/logs",
  },
};

describe("what the programs are told", () => {
  const paths = nodePaths("/state");

  test("the kubelet runs on either version of cgroups, below the node's own folder", () => {
    expect(parse(renderKubeletConfig(config, paths))).toMatchObject({
      failCgroupV1: false,
      cgroupDriver: "cgroupfs",
      cgroupRoot: "/isthmus-id-c",
      clusterDNS: ["10.96.0.10"],
      containerRuntimeEndpoint: "unix:///run/containerd/containerd.sock",
      authentication: { anonymous: { enabled: false } },
      authorization: { mode: "Webhook" },
    });
  });

  test("kube-proxy knows pods by their range, and leaves the machine's settings alone", () => {
    expect(parse(renderKubeProxyConfig(config))).toMatchObject({
      clusterCIDR: "10.244.0.0/16",
      detectLocalMode: "ClusterCIDR",
      conntrack: { maxPerCore: 0, min: 0 },
    });
  });

  test("pods get addresses of the node's range and no masquerading of the plugin's own", () => {
    const [ptp] = JSON.parse(renderCniConfig(config, paths)).plugins;
    expect(ptp).toMatchObject({ type: "ptp", ipMasq: false, ipam: { ranges: [[{ subnet: "10.244.0.0/16" }]] } });
  });

  test("a node with two families gives pods an address of each, and kube-proxy both ranges", () => {
    const dual = { ...config, ipv6: { address: "fd30::b", podCIDR: "fd44::/64", serviceCIDR: "fd96::/112" } };
    const [ptp] = JSON.parse(renderCniConfig(dual, paths)).plugins;
    expect(ptp.ipam).toMatchObject({
      ranges: [[{ subnet: "10.244.0.0/16" }], [{ subnet: "fd44::/64" }]],
      routes: [{ dst: "0.0.0.0/0" }, { dst: "::/0" }],
    });
    expect(parse(renderKubeProxyConfig(dual))).toMatchObject({ clusterCIDR: "10.244.0.0/16,fd44::/64" });
  });

  test("containerd keeps its files below the state folder", () => {
    const text = renderContainerdConfig(paths, { root: "/root", cniPlugins: "/cni", sandboxImage: "hub/pause:1" });
    for (const line of ['root = "/root"', 'sandbox_image = "hub/pause:1"', 'conf_dir = "/state/cni"']) {
      expect(text).toContain(line);
    }
  });

  test("the cluster DNS is a Deployment behind the address that kubelets tell pods", () => {
    const objects = clusterDnsObjects({ image: "hub/dns:1", address: "10.96.0.10", clusterDomain: "cluster.local" });
    expect(objects.map(({ kind }) => kind)).toEqual([
      "ServiceAccount",
      "ClusterRole",
      "ClusterRoleBinding",
      "Service",
      "Deployment",
    ]);
    expect(objects[3]).toMatchObject({ metadata: { name: "kube-dns" }, spec: { clusterIP: "10.96.0.10" } });
    // A pod without one is the last to be given a processor.
    const container = { resources: { requests: { cpu: expect.any(String) } } };
    expect(objects[4]).toMatchObject({ spec: { template: { spec: { containers: [container] } } } });
  });
});

describe("cgroup folders", () => {
  test("mount points of both versions are found in a mixed machine", () => {
    const mounts = [
      "tmpfs /sys/fs/cgroup tmpfs rw 0 0",
      "cgroup /sys/fs/cgroup/pids cgroup rw,pids 0 0",
      "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0",
    ].join("\n");
    expect(cgroupMounts(mounts)).toEqual(["/sys/fs/cgroup/pids", "/sys/fs/cgroup/unified"]);
  });

  test("a folder is made everywhere, and goes with all below it; another playground's stays", async () => {
    const mounts = ["one", "two"].map((name) => join(folder, name));
    for (const mount of mounts) mkdirSync(mount);
    await makeCgroupFolders("isthmus-a-c1", mounts);
    await makeCgroupFolders("isthmus-b-c1", mounts);
    for (const mount of mounts) mkdirSync(join(mount, "isthmus-a-c1", "kubepods", "pod1"), { recursive: true });
    await removeCgroupFolders("isthmus-a-", mounts);
    expect(findCgroupFolders("isthmus-", mounts)).toEqual(mounts.map((mount) => join(mount, "isthmus-b-c1")));
  });
});

test("all pods of a node together may have every processor", async () => {
  const file = join(folder, "cpu", "isthmus-a-c1", "cpu.shares");
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, "2");
  await makeCgroupFolders("isthmus-a-c1", [join(folder, "cpu")]);
  expect(Number(readFileSync(file, "utf8"))).toBe(availableParallelism() * 1024);
});

describe("images", () => {
  const layout = (names: readonly string[]) => {
    const manifests = names.map((name, index) => ({
      digest: `sha256:${index}`,
      annotations: { "io.containerd.image.name": name },
    }));
    writeFileSync(join(folder, "index.json"), JSON.stringify({ manifests }));
  };

  test("what every node needs is found below any hub", async () => {
    layout(["docker.io/mine/pause:7", "docker.io/mine/playground-dns:7"]);
    const expected = { sandbox: "docker.io/mine/pause:7", dns: "docker.io/mine/playground-dns:7" };
    expect(await findImageNames(folder)).toEqual(expected);
  });

  test("a layout without them, and a folder that is none, say how to make the images", async () => {
    layout(["docker.io/mine/pause:7"]);
    const hint = "make the images: npm run images";
    await expect(findImageNames(folder)).rejects.toMatchObject({ code: "NO_IMAGES", hint });
    await expect(findImageNames(join(folder, "missing"))).rejects.toMatchObject({ code: "NO_IMAGES", hint });
  });

  test("a pull finds an image by its whole name, then by its name below a known hub", async () => {
    layout(["docker.io/isthmus/proxyv2:1", "docker.io/isthmus/proxyv2:1-distroless", "docker.io/isthmus/curl:1"]);
    const images = await readLayoutImages(folder);
    const find = (repository: string, tag: string) => findImage(images, repository, tag)?.name;
    expect(find("isthmus/proxyv2", "1")).toBe("docker.io/isthmus/proxyv2:1");
    expect(find("istio/proxyv2", "1.29.0")).toBe("docker.io/isthmus/proxyv2:1");
    expect(find("istio/proxyv2", "1.29.0-distroless")).toBe("docker.io/isthmus/proxyv2:1-distroless");
    expect(find("curlimages/curl", "latest")).toBe("docker.io/isthmus/curl:1");
    expect(find("team/curl", "latest")).toBeUndefined();
    expect(find("library/busybox", "latest")).toBeUndefined();
  });

  test("a node's store shares the files of layers, and not the databases", async () => {
    const store = join(folder, "store");
    mkdirSync(join(store, "layers"), { recursive: true });
    writeFileSync(join(store, "layers", "node"), "program");
    writeFileSync(join(store, "layers", "meta.db"), "rows");
    await copyImageStore(store, join(folder, "copy"));
    const links = (file: string) =>
      execFileSync("stat", ["-c", "%h", join(folder, "copy", "layers", file)], { encoding: "utf8" }).trim();
    expect([links("node"), links("meta.db")]).toEqual(["2", "1"]);
  });
});

test("the state folder stays what it is where its parent is covered", () => {
  expect(privateMountsScript(["/tmp/state"])).not.toContain("--rbind");
  expect(privateMountsScript(["/var/lib/it's/state"])).toContain(`--rbind /proc/self/fd/10 '/var/lib/it'\\''s/state'`);
});

test("a program that ends by itself tells the end of its log", async () => {
  const log = join(folder, "log");
  const command = ["sh", "-c", "echo the disk is full; exit 3"];
  const program = new NodeProgram({ title: "the kubelet of c", command, env: process.env, log });
  await expect(program.failed).rejects.toThrow("the kubelet of c ended with exit code 3\nthe disk is full");
});

test("a program that may watch no more files tells how many there are and how to have more", async () => {
  const log = join(folder, "log");
  const command = ["sh", "-c", "echo failed: too many open files; exit 1"];
  const program = new NodeProgram({ title: "kube-proxy of c", command, env: process.env, log });
  await expect(program.failed).rejects.toThrow("sysctl -w fs.inotify.max_user_instances=512");
});
