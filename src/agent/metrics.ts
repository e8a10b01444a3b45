// The pod's one scrape target: Envoy's metrics under Istio's names, then the application's own.
import type { Logger } from "#base/logger";
import { errorMessage } from "#base/mesh-error";
import { callHttp } from "./call-http.ts";
import { isObject, parseJsonObject } from "./proxy-config.ts";

const ISTIO_METRIC = /^(# (?:TYPE|HELP) )?envoy_(istio_)/gm;

/** Envoy puts its own prefix before every name; Istio's standard metrics must come without. */
export function renameIstioMetrics(text: string): string {
  return text.replace(ISTIO_METRIC, "$1$2");
}

export interface AppMetrics {
  readonly path: string;
  readonly port: number;
}

/** What the injector kept of the pod's `prometheus.io/*` annotations; undefined when it is not to be scraped. */
export function readAppMetrics(text: string): AppMetrics | undefined {
  if (text === "") return undefined;
  const json = parseJsonObject("ISTIO_PROMETHEUS_ANNOTATIONS", text);
  if (!isObject(json) || String(json["scrape"]) !== "true") return undefined;
  const path = json["path"];
  return { path: typeof path === "string" && path !== "" ? path : "/metrics", port: Number(json["port"] ?? 80) || 80 };
}

export interface MetricsSources {
  readonly envoy: () => Promise<string>;
  readonly app: AppMetrics | undefined;
  /** Lines of the agent itself. */
  readonly agent: () => string;
  readonly logger: Logger;
}

/** A source that does not answer is left out and told in the log: half a scrape is better than none. */
export async function mergedMetrics({ envoy, app, agent, logger }: MetricsSources): Promise<string> {
  const scrape = async (source: string, read: () => Promise<string>) => {
    try {
      const text = await read();
      return text.endsWith("\n") || text === "" ? text : `${text}\n`;
    } catch (thrown) {
      logger.warn({ source, error: errorMessage(thrown) }, "metrics are missing from the scrape");
      return "";
    }
  };
  const [fromEnvoy, fromApp] = await Promise.all([
    scrape("envoy", async () => renameIstioMetrics(await envoy())),
    app === undefined ? "" : scrape("application", () => appText(app)),
  ]);
  return fromEnvoy + agent() + withoutEnd(fromApp);
}

async function appText({ path, port }: AppMetrics): Promise<string> {
  const { status, body } = await callHttp({ host: "127.0.0.1", port, path });
  if (status !== 200) throw new Error(`the application answered ${status} for ${path}`);
  return body;
}

/** OpenMetrics ends with a mark that may stand only once, at the very end. */
function withoutEnd(text: string): string {
  return text.replace(/^# EOF\n?/gm, "");
}
