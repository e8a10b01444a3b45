// Envoy's admin interface, over loopback.
import { callHttp } from "./call-http.ts";

export interface EnvoyAdmin {
  /** Statistics that were ever used and match, by name. */
  stats(filter: string): Promise<ReadonlyMap<string, number>>;
  prometheus(): Promise<string>;
  /** New connections are refused and old ones told to go, inbound only, over the drain time. */
  drainListeners(): Promise<void>;
}

export function createEnvoyAdmin(port: number): EnvoyAdmin {
  const at = { host: "127.0.0.1", port };
  const get = async (path: string) => {
    const { status, body } = await callHttp({ ...at, path });
    if (status !== 200) throw new Error(`Envoy answered ${status} for ${path}`);
    return body;
  };
  return {
    async stats(filter) {
      return parseStats(await get(`/stats?usedonly&filter=${encodeURIComponent(filter)}`));
    },
    prometheus: () => get("/stats/prometheus"),
    async drainListeners() {
      await callHttp({ ...at, path: "/drain_listeners?inboundonly&graceful&skip_exit", method: "POST" });
    },
  };
}

export function parseStats(text: string): ReadonlyMap<string, number> {
  const stats = new Map<string, number>();
  for (const line of text.split("\n")) {
    const split = line.lastIndexOf(": ");
    const value = Number(line.slice(split + 2));
    if (split > 0 && !Number.isNaN(value)) stats.set(line.slice(0, split), value);
  }
  return stats;
}
