import { spawnSync } from "node:child_process";
import { Command } from "commander";
import { MeshError } from "#base/mesh-error";
import { type Family, iptablesRules, renderRestore } from "./iptables-rules.ts";
import { type IptablesConfig, type IptablesFlags, readIptablesConfig } from "./options.ts";

const RESTORE = { v4: "iptables-restore", v6: "ip6tables-restore" } as const;
const RULES = { v4: "iptables", v6: "ip6tables" } as const;
const ROUTE_TABLE = "133";
const MARK = "1337";

/** `istio-iptables`, with Istio's flags. */
export function iptablesCommand(env: Readonly<Record<string, string | undefined>>, finish: (code: number) => void) {
  return new Command("istio-iptables")
    .description("Send the traffic of this network namespace through its proxy")
    .option("-p, --envoy-port <port>", "where outbound traffic goes")
    .option("-z, --inbound-capture-port <port>", "where inbound traffic goes")
    .option("-u, --proxy-uid <uids>", "users whose traffic is left alone")
    .option("-g, --proxy-gid <gids>", "groups whose traffic is left alone")
    .option("-m, --istio-inbound-interception-mode <mode>", "REDIRECT or TPROXY")
    .option("-i, --istio-service-cidr <cidrs>", "outbound destinations to capture, * for all")
    .option("-x, --istio-service-exclude-cidr <cidrs>", "outbound destinations to leave alone")
    .option("-b, --istio-inbound-ports <ports>", "inbound ports to capture, * for all")
    .option("-d, --istio-local-exclude-ports <ports>", "inbound ports to leave alone")
    .option("-q, --istio-outbound-ports <ports>", "outbound ports to capture in any case")
    .option("-o, --istio-local-outbound-ports-exclude <ports>", "outbound ports to leave alone")
    .option("-c, --istio-exclude-interfaces <names>", "interfaces to leave alone")
    .option("-k, --kube-virt-interfaces <names>", "interfaces of virtual machines")
    .option("--redirect-dns", "capture DNS", env["ISTIO_META_DNS_CAPTURE"] === "true")
    .option("--dual-stack", "write rules for IPv6 too", env["ISTIO_DUAL_STACK"] === "true")
    .option("-n, --dry-run", "print the rules and set none")
    .allowUnknownOption()
    .allowExcessArguments()
    .action((flags: IptablesFlags & { dryRun?: boolean }) => {
      const config = readIptablesConfig(flags);
      if (flags.dryRun === true)
        process.stdout.write(
          `${families(config)
            .map((family) => textOf(config, family))
            .join("\n")}`,
        );
      else applyIptables(config);
      finish(0);
    });
}

const families = (config: IptablesConfig): readonly Family[] => (config.ipv6 ? ["v4", "v6"] : ["v4"]);
const textOf = (config: IptablesConfig, family: Family) => renderRestore(iptablesRules(config, family));

/** Sets the rules. Run again it leaves them as they are: a restarted init container must not double them. */
export function applyIptables(config: IptablesConfig): void {
  for (const family of families(config)) {
    if (!isApplied(family)) run(RESTORE[family], ["--noflush", "-w"], textOf(config, family));
    if (config.mode === "TPROXY") routeMarked(family);
  }
}

/** All tables are set by one restore each, so the jump from OUTPUT tells of all. */
function isApplied(family: Family): boolean {
  return spawnSync(RULES[family], ["-w", "-t", "nat", "-C", "OUTPUT", "-j", "ISTIO_OUTPUT"]).status === 0;
}

/** TPROXY hands marked packets to local sockets by a routing table of its own. */
function routeMarked(family: Family): void {
  const flag = family === "v4" ? "-4" : "-6";
  const all = family === "v4" ? "0.0.0.0/0" : "::/0";
  spawnSync("ip", [flag, "rule", "del", "fwmark", MARK, "lookup", ROUTE_TABLE]); // absent the first time
  run("ip", [flag, "rule", "add", "fwmark", MARK, "lookup", ROUTE_TABLE]);
  run("ip", [flag, "route", "replace", "local", all, "dev", "lo", "table", ROUTE_TABLE]);
}

function run(command: string, args: readonly string[], input = ""): void {
  const result = spawnSync(command, args, { input, encoding: "utf8" });
  if (result.status === 0) return;
  const reason = result.error?.message ?? result.stderr.trim();
  throw new MeshError("IPTABLES", `${command} ${args.join(" ")} failed: ${reason}`, {
    hint: "Setting the rules takes root with NET_ADMIN and NET_RAW, and iptables installed.",
  });
}
