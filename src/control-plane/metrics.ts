// Istio's metric names, so that its dashboards and alerts work.
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { ISTHMUS_VERSION } from "#api/constants/names";

const SECONDS = [0.01, 0.05, 0.1, 0.3, 0.5, 1, 3, 5, 10, 20, 30];

/** Values that are read when somebody scrapes. */
export interface MetricSources {
  readonly connections: () => number;
  readonly services: () => number;
  readonly remoteClusters: () => readonly { readonly id: string; readonly syncStatus: string }[];
  /** Seconds since the epoch. */
  readonly rootExpiry: () => number;
}

export type Metrics = ReturnType<typeof createMetrics>;

/** One registry a control plane; nothing is global, so tests run several side by side. */
export function createMetrics(sources: MetricSources) {
  const registry = new Registry();
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter<L>({ name, help, labelNames: [...labelNames], registers });
  registerGauges(registers, sources);
  return {
    registry,
    pushes: counter("pilot_xds_pushes", "Responses sent to proxies, by type.", ["type"]),
    rejects: counter("pilot_total_xds_rejects", "Responses that proxies refused, by type.", ["type"]),
    pushErrors: counter("pilot_total_xds_internal_errors", "Resources that could not be generated."),
    inboundUpdates: counter("pilot_inbound_updates", "Changes of the mesh, by kind.", ["type"]),
    convergence: new Histogram({
      name: "pilot_proxy_convergence_time",
      help: "Seconds from the observation of a change to its acceptance by a proxy.",
      buckets: SECONDS,
      registers,
    }),
    certificateRequests: counter("citadel_server_csr_count", "Certificate requests received."),
    certificatesIssued: counter("citadel_server_success_cert_issuance_count", "Certificates issued."),
    certificatesFailed: counter("citadel_server_csr_sign_err_count", "Certificate requests that could not be signed."),
    authenticationFailures: counter("citadel_server_authentication_failure_count", "Callers that proved no identity."),
    injectionRequests: counter("sidecar_injection_requests_total", "Pods shown to the injection webhook."),
    injectionSuccess: counter("sidecar_injection_success_total", "Pods that were injected."),
    injectionFailure: counter("sidecar_injection_failure_total", "Pods that were refused."),
    injectionSkip: counter("sidecar_injection_skip_total", "Pods that were left as they are."),
    remoteTimeouts: counter("remote_cluster_sync_timeouts_total", "Remote clusters that did not sync in time."),
  };
}

function registerGauges(registers: Registry[], sources: MetricSources): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  gauge("pilot_xds", "Proxies connected.", sources.connections);
  gauge("pilot_services", "Services known.", sources.services);
  gauge("citadel_server_root_cert_expiry_timestamp", "End of the CA, seconds since the epoch.", sources.rootExpiry);
  gauge("process_resident_memory_bytes", "Resident memory.", () => process.memoryUsage.rss());
  gauge("process_cpu_seconds_total", "Processor time used.", () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  new Gauge({ name: "istio_build", help: "Version of this program.", labelNames: ["component", "tag"], registers }).set(
    { component: "pilot", tag: ISTHMUS_VERSION },
    1,
  );
  new Gauge({
    name: "istiod_managed_clusters",
    help: "Clusters that this control plane watches.",
    labelNames: ["cluster_type"],
    registers,
    collect() {
      this.set({ cluster_type: "local" }, 1);
      this.set({ cluster_type: "remote" }, sources.remoteClusters().length);
    },
  });
  new Gauge({
    name: "istiod_remote_cluster_sync_status",
    help: "1 for the status that a remote cluster is in.",
    labelNames: ["cluster_id", "status"],
    registers,
    collect() {
      this.reset();
      for (const { id, syncStatus } of sources.remoteClusters()) this.set({ cluster_id: id, status: syncStatus }, 1);
    },
  });
}
