// The DNS server of a cluster, as an ordinary pod.
import { CommanderError } from "commander";
import { EXIT_CODES } from "#base/exit-code";
import { MeshError } from "#base/mesh-error";
import { dnsCommand } from "#playground/dns/dns-program";

const stop = new AbortController();
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.abort());

dnsCommand(process.env, stop.signal)
  .exitOverride()
  .parseAsync()
  .then(
    // Nothing is left to wait for; idle connections to the API server must not hold the process.
    () => process.exit(EXIT_CODES.ok),
    (thrown: unknown) => {
      if (thrown instanceof CommanderError) process.exit(thrown.exitCode === 0 ? EXIT_CODES.ok : EXIT_CODES.usage);
      const error = MeshError.from(thrown);
      process.stderr.write(`playground-dns: ${error.message}${error.hint === undefined ? "" : `\n  ${error.hint}`}\n`);
      process.exit(error.code === "USAGE" ? EXIT_CODES.usage : EXIT_CODES.failed);
    },
  );
