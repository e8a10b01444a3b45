import { createHash } from "node:crypto";

/** First 16 hex digits of SHA-256: a content version. Equal content gives equal versions over restarts and replicas. */
export function contentHash(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex").slice(0, 16);
}
