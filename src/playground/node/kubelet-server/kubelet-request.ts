// What the kubelet server hands to those who answer its requests.
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Clock } from "#base/clock";
import type { Logger } from "#base/logger";
import type { NodeProcessConfig } from "../../process-config.ts";
import type { PodManager } from "../pod/pod-manager.ts";
import type { KubeletAccess } from "./kubelet-access.ts";

export interface KubeletServerOptions {
  readonly config: Pick<NodeProcessConfig, "address" | "kubelet" | "stateDir">;
  readonly manager: PodManager;
  readonly access: KubeletAccess;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** A request for one pod, and for one of its containers where the path names one. */
export interface PodRequest {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly query: URLSearchParams;
}

/** An upgraded connection as it came from the API server. */
export interface Upgraded {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}
