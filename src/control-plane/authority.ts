// The signer in force. It changes while the program runs: an operator may renew the intermediate in Secret cacerts.
import { watch } from "node:fs";
import type { Clock } from "#base/clock";
import { contentHash } from "#base/content-hash";
import type { Logger } from "#base/logger";
import { errorMessage, MeshError } from "#base/mesh-error";
import { type CaMaterial, type CertificateAuthority, createCertificateAuthority } from "#pki/certificate-authority";
import { fingerprint, splitPem } from "#pki/trust-bundle";
import { loadPlugInCa } from "./ca-material.ts";

export interface AuthorityOptions {
  readonly folder: string;
  /** Called when the folder holds no CA. */
  readonly selfSigned: () => Promise<CaMaterial>;
  /** Accept a new bundle that holds all old roots and more. */
  readonly multiRoot: boolean;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Files of a mounted Secret change one after the other; half of a change is not looked at. */
const SETTLE_MS = 200;

export class Authority {
  readonly source: "plug-in" | "self-signed";
  readonly #options: AuthorityOptions;
  readonly #listeners = new Set<(authority: CertificateAuthority) => void>();
  #current: CertificateAuthority;
  /** Hash of the files in force. */
  #material: string;
  #problem: string | undefined;

  private constructor(options: AuthorityOptions, material: CaMaterial, source: Authority["source"]) {
    this.#options = options;
    this.source = source;
    this.#material = contentHash(JSON.stringify(material));
    this.#current = createCertificateAuthority(material, options.clock.now());
  }

  /** Plugged-in files win over a self-signed CA. Throws MeshError when what is there cannot sign. */
  static async load(options: AuthorityOptions): Promise<Authority> {
    const plugged = loadPlugInCa(options.folder);
    if (plugged !== undefined) return new Authority(options, plugged, "plug-in");
    return new Authority(options, await options.selfSigned(), "self-signed");
  }

  get current(): CertificateAuthority {
    return this.#current;
  }

  /** Why the newest files are not in force; undefined when they are. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Calls back after each change of the signer; the returned function ends it. */
  subscribe(listener: (authority: CertificateAuthority) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Follows the folder until the signal aborts. A folder that does not exist is not followed. */
  watch(signal: AbortSignal): void {
    const { folder, logger, clock } = this.#options;
    let cancel = () => {};
    try {
      const watcher = watch(folder, { signal }, () => {
        cancel();
        cancel = clock.schedule(SETTLE_MS, () => this.reload());
      });
      watcher.on("error", (error) => logger.debug({ folder, error: error.message }, "CA folder is no longer watched"));
      signal.addEventListener("abort", () => cancel(), { once: true });
    } catch (thrown) {
      logger.debug({ folder, error: errorMessage(thrown) }, "no CA folder to watch");
    }
  }

  /** Reads the folder again; a CA that may not take over is refused with a reason, and the old one stays. */
  reload(): void {
    const { folder, logger } = this.#options;
    try {
      const material = loadPlugInCa(folder);
      if (material === undefined) return;
      const hash = contentHash(JSON.stringify(material));
      if (hash === this.#material) return;
      const next = createCertificateAuthority(material, this.#options.clock.now());
      this.#assertSuccessor(next);
      this.#current = next;
      this.#material = hash;
      this.#problem = undefined;
      logger.info({ root: next.rootFingerprint, notAfter: next.notAfter }, "renewed the CA");
      for (const listener of [...this.#listeners]) listener(next);
    } catch (thrown) {
      const error = MeshError.from(thrown);
      this.#problem = error.message;
      logger.error({ folder, error: error.message, hint: error.hint }, "the new CA is refused, the old one stays");
    }
  }

  #assertSuccessor(next: CertificateAuthority): void {
    const before = rootsOf(this.#current);
    const after = rootsOf(next);
    const keepsAll = [...before].every((root) => after.has(root));
    if (keepsAll && (before.size === after.size || this.#options.multiRoot)) return;
    const hint =
      this.source === "self-signed"
        ? "restart the control plane to move from its self-signed CA to the plugged-in one; workloads renew in their time"
        : "set ISTIO_MULTIROOT_MESH=true and plug in a root-cert.pem with old and new roots, or restart to switch at once";
    throw new MeshError("CA_ROOT_CHANGED", "the new CA has other roots, which running workloads do not trust", {
      hint,
    });
  }
}

function rootsOf(authority: CertificateAuthority): ReadonlySet<string> {
  return new Set(splitPem(authority.rootsPem).map(fingerprint));
}
