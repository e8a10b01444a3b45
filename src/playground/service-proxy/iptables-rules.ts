// The text form of iptables-restore: own chains are declared (which empties them), filled, hooked into the kernel's
// chains once, and removed when nothing uses them any more. All of one table takes effect at once.

export interface TableRules {
  readonly table: "nat" | "filter";
  /** Own chains with their rules, each without `-A CHAIN`. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Kernel chain to own chain. */
  readonly hooks: readonly { readonly from: string; readonly to: string }[];
}

/** What the kernel has of ours: `table chain` and `table from to`. */
export interface InstalledRules {
  readonly chains: ReadonlySet<string>;
  readonly hooks: ReadonlySet<string>;
}

export const NOTHING_INSTALLED: InstalledRules = { chains: new Set(), hooks: new Set() };

/** Input for `iptables-restore --noflush` that turns what is installed into what is wanted. */
export function renderRestore(tables: readonly TableRules[], installed: InstalledRules): string {
  return tables.map((table) => renderTable(table, installed)).join("");
}

function renderTable({ table, chains, hooks }: TableRules, installed: InstalledRules): string {
  const stale = [...installed.chains]
    .filter((entry) => entry.startsWith(`${table} `))
    .map((entry) => entry.slice(table.length + 1))
    .filter((chain) => !chains.has(chain));
  const missing = hooks.filter(({ from, to }) => !installed.hooks.has(`${table} ${from} ${to}`));
  const lines = [
    `*${table}`,
    ...[...chains.keys(), ...stale].map((chain) => `:${chain} - [0:0]`),
    ...[...chains].flatMap(([chain, rules]) => rules.map((rule) => `-A ${chain} ${rule}`)),
    ...missing.map(({ from, to }) => `-I ${from} 1 -j ${to}`),
    // Emptied above and no longer referred to.
    ...stale.map((chain) => `-X ${chain}`),
    "COMMIT",
  ];
  return `${lines.join("\n")}\n`;
}

export function installedAfter(tables: readonly TableRules[]): InstalledRules {
  const chains = tables.flatMap(({ table, chains: own }) => [...own.keys()].map((chain) => `${table} ${chain}`));
  const hooks = tables.flatMap(({ table, hooks: own }) => own.map(({ from, to }) => `${table} ${from} ${to}`));
  return { chains: new Set(chains), hooks: new Set(hooks) };
}

/** Reads `iptables-save`: what an earlier run, perhaps killed, left behind. */
export function parseSave(save: string, prefix: string): InstalledRules {
  const chains = new Set<string>();
  const hooks = new Set<string>();
  let table = "";
  for (const line of save.split("\n")) {
    if (line.startsWith("*")) table = line.slice(1).trim();
    const chain = /^:(\S+) /.exec(line)?.[1];
    if (chain?.startsWith(prefix)) chains.add(`${table} ${chain}`);
    const [, from, to] = /^-A (\S+) -j (\S+)$/.exec(line.trim()) ?? [];
    if (from && to?.startsWith(prefix) && !from.startsWith(prefix)) hooks.add(`${table} ${from} ${to}`);
  }
  return { chains, hooks };
}
