import type { ClusterFlags } from "../cli-context.ts";

/** Every flag of every proxy-config view; a view reads those that its command offers. */
export interface ProxyConfigFlags extends ClusterFlags {
  readonly output?: string;
  readonly file?: string;
  readonly proxyAdminPort: string;
  readonly fqdn?: string;
  readonly port?: string;
  readonly subset?: string;
  readonly direction?: string;
  readonly address?: string;
  readonly type?: string;
  readonly name?: string;
  readonly cluster?: string;
  readonly status?: string;
  readonly verbose?: boolean | string;
}

/** True when one line for each listener or route configuration is enough. */
export function isBrief(flags: ProxyConfigFlags): boolean {
  return String(flags.verbose) === "false";
}
