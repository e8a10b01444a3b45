import { Resolver } from "node:dns/promises";
import type { ResolveHost } from "#ingest/gateway-hosts";

/** Codes that say "there is nothing of this kind", which is an answer. */
const NOTHING: ReadonlySet<string> = new Set(["ENODATA", "ENOTFOUND"]);
const TIMEOUT_MS = 5000;

/** Asks the servers of /etc/resolv.conf, or those given. */
export function createHostResolver(servers: readonly string[] = []): ResolveHost {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: 2 });
  if (servers.length > 0) resolver.setServers(servers);
  return async (host, family) => {
    try {
      return await (family === 4 ? resolver.resolve4(host, { ttl: true }) : resolver.resolve6(host, { ttl: true }));
    } catch (thrown) {
      const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
      if (NOTHING.has(code)) return [];
      throw thrown;
    }
  };
}
