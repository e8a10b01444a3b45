// The control plane's own certificate, signed by the mesh's CA, for the names under which proxies and API servers call.
import { X509Certificate } from "node:crypto";
import type { Clock } from "#base/clock";
import type { Logger } from "#base/logger";
import { errorMessage } from "#base/mesh-error";
import { generateKeyPair, type KeyPairPem } from "#pki/keys";
import type { Authority } from "./authority.ts";

/** PEM texts for a TLS server; `ca` are the roots that client certificates must chain to. */
export interface ServingMaterial {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** Ten years, as Istio; the signer's own end comes first. */
const TTL_SECONDS = 10 * 365 * 24 * 3600;
const CHECK_MS = 3_600_000;
/** Renewed when this part of its life is left. */
const RENEW_RATIO = 0.2;

export function servingNames(namespace: string, revision: string): string[] {
  const hosts = ["istiod", ...(revision === "default" ? [] : [`istiod-${revision}`]), "istiod-remote", "istio-pilot"];
  return hosts.flatMap((host) => [`${host}.${namespace}.svc`, `${host}.${namespace}`]);
}

export interface ServingCertificateOptions {
  readonly authority: Authority;
  readonly names: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
}

export class ServingCertificate {
  readonly #options: ServingCertificateOptions;
  readonly #keys: KeyPairPem;
  readonly #listeners = new Set<(material: ServingMaterial) => void>();
  #material: ServingMaterial;

  private constructor(options: ServingCertificateOptions, keys: KeyPairPem, material: ServingMaterial) {
    this.#options = options;
    this.#keys = keys;
    this.#material = material;
  }

  static async issue(options: ServingCertificateOptions): Promise<ServingCertificate> {
    const keys = await generateKeyPair();
    return new ServingCertificate(options, keys, await sign(options, keys));
  }

  get current(): ServingMaterial {
    return this.#material;
  }

  /** Calls back with each renewed certificate. */
  subscribe(listener: (material: ServingMaterial) => void): void {
    this.#listeners.add(listener);
  }

  /** Renews in time and whenever the CA changes, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { authority, clock } = this.#options;
    const unsubscribe = authority.subscribe(() => void this.renew());
    while (!signal.aborted) {
      await clock.sleep(CHECK_MS, signal).catch(() => {});
      if (!signal.aborted && this.#isDue()) await this.renew();
    }
    unsubscribe();
  }

  async renew(): Promise<void> {
    try {
      this.#material = await sign(this.#options, this.#keys);
      for (const listener of this.#listeners) listener(this.#material);
    } catch (thrown) {
      this.#options.logger.error({ error: errorMessage(thrown) }, "the serving certificate could not be renewed");
    }
  }

  #isDue(): boolean {
    const { validFrom, validTo } = new X509Certificate(this.#material.cert);
    const [start, end] = [Date.parse(validFrom), Date.parse(validTo)];
    return end - this.#options.clock.now() < (end - start) * RENEW_RATIO;
  }
}

async function sign(options: ServingCertificateOptions, keys: KeyPairPem): Promise<ServingMaterial> {
  const ca = options.authority.current;
  const cert = await ca.signServer(keys.publicKeyPem, options.names, TTL_SECONDS);
  return { cert, key: keys.privateKeyPem, ca: ca.rootsPem };
}
