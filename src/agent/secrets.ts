// The workload's key and certificate: made, renewed and kept in memory here, handed to Envoy over SDS.
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Clock } from "#base/clock";
import { contentHash } from "#base/content-hash";
import type { Logger } from "#base/logger";
import { errorMessage } from "#base/mesh-error";
import type { XdsResource } from "#envoy/discovery";
import { FIXED_NAMES } from "#envoy/names";
import { tlsCertificateSecret, trustedCaSecret } from "#envoy/secret";
import { generateKeyPair } from "#pki/keys";
import { joinBundle } from "#pki/trust-bundle";
import { fullJitterBackoff } from "./backoff.ts";
import { buildWorkloadCsr } from "./workload-csr.ts";

export interface SecretOptions {
  /** The SPIFFE id to ask for; the CA decides by the token. */
  readonly uri: string;
  readonly ttlSeconds: number;
  /** Renewal comes when less than this part of the life is left. */
  readonly gracePeriodRatio: number;
  /** The mounted root bundle; watched, for it may change without a renewal. */
  readonly rootCertPath: string;
  /** Answers leaf, intermediates, root bundle, each PEM. */
  readonly sign: (csr: string, ttlSeconds: number) => Promise<readonly string[]>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random?: () => number;
}

/** A part in a hundred of the life, so that pods started together do not renew together. */
const JITTER = 0.01;
const ROOT_POLL_MS = 10_000;

export class SecretManager {
  readonly #options: SecretOptions;
  readonly #listeners = new Set<(name: string) => void>();
  readonly #secrets = new Map<string, XdsResource>();
  #signedRoots = "";
  #mountedRoots = "";
  #notAfter: number | undefined;

  constructor(options: SecretOptions) {
    this.#options = options;
  }

  /** The secret of that name, undefined until it is there. */
  get(name: string): XdsResource | undefined {
    return this.#secrets.get(name);
  }

  /** When the certificate ends, milliseconds since the epoch; undefined until there is one. */
  get notAfter(): number | undefined {
    return this.#notAfter;
  }

  /** Calls back with the name of each secret that is new or changed, until the returned function is called. */
  subscribe(listener: (name: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Gets the first certificate, then renews it for ever. A failure keeps the old one and is tried again. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#renewForever(signal), this.#watchRoots(signal)]);
  }

  async #renewForever(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    const backoff = fullJitterBackoff(100, 10_000, this.#options.random);
    while (!signal.aborted) {
      let wait: number;
      try {
        wait = await this.#renew();
        backoff.reset();
      } catch (thrown) {
        wait = backoff.next();
        logger.warn({ error: errorMessage(thrown), retryMs: Math.round(wait) }, "no certificate from the CA yet");
      }
      await clock.sleep(wait, signal).catch(() => undefined);
    }
  }

  /** Answers how long the new certificate serves, in milliseconds. */
  async #renew(): Promise<number> {
    const { clock, logger, ttlSeconds, uri, gracePeriodRatio, random = Math.random } = this.#options;
    const { privateKeyPem } = await generateKeyPair();
    const answer = await this.#options.sign(buildWorkloadCsr(privateKeyPem, uri), ttlSeconds);
    const [leaf] = answer;
    const roots = answer.at(-1);
    if (leaf === undefined || roots === undefined || answer.length < 2) {
      throw new Error(`the CA answered ${answer.length} certificates, and a leaf and a root are needed`);
    }
    const notAfter = Date.parse(new X509Certificate(leaf).validTo);
    const life = notAfter - clock.now();
    if (!(life > 0)) throw new Error("the CA answered a certificate that is not valid any more");
    const chain = answer.slice(0, -1).map(endLine).join("");
    this.#notAfter = notAfter;
    this.#signedRoots = roots;
    this.#set(
      FIXED_NAMES.secretDefault,
      tlsCertificateSecret(FIXED_NAMES.secretDefault, { chain, privateKey: privateKeyPem }),
    );
    this.#updateRoots();
    logger.info({ notAfter: new Date(notAfter).toISOString() }, "certificate received");
    return Math.max(1000, life * (1 - gracePeriodRatio + (random() * 2 - 1) * JITTER));
  }

  async #watchRoots(signal: AbortSignal): Promise<void> {
    const { clock, rootCertPath } = this.#options;
    while (!signal.aborted) {
      const text = await readFile(rootCertPath, "utf8").catch(() => this.#mountedRoots); // the mount may be switching
      if (text !== this.#mountedRoots) {
        this.#mountedRoots = text;
        this.#updateRoots();
      }
      await clock.sleep(ROOT_POLL_MS, signal).catch(() => undefined);
    }
  }

  #updateRoots(): void {
    const bundle = joinBundle([this.#signedRoots, this.#mountedRoots]);
    if (bundle !== "") this.#set(FIXED_NAMES.secretRoot, trustedCaSecret(FIXED_NAMES.secretRoot, bundle));
  }

  #set(name: string, any: Uint8Array): void {
    const version = contentHash(any);
    if (this.#secrets.get(name)?.version === version) return;
    this.#secrets.set(name, { name, version, any });
    for (const listener of this.#listeners) listener(name);
  }
}

function endLine(pem: string): string {
  return pem.endsWith("\n") ? pem : `${pem}\n`;
}
