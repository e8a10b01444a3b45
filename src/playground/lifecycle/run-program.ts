import { readFileSync } from "node:fs";
import { EXIT_CODES, type ExitCode } from "#base/exit-code";
import { createLogger, type Logger, type LogLevel } from "#base/logger";
import { errorMessage, MeshError } from "#base/mesh-error";

/**
 * The frame of a playground program: `NAME CONFIG.json`, log lines on standard error, an orderly end at SIGTERM or
 * SIGINT. `main` runs until the signal aborts; what it throws is logged and ends the program with 1.
 */
export async function runProgram<Config extends { readonly logLevel: LogLevel }>(
  name: string,
  main: (config: Config, logger: Logger, signal: AbortSignal) => Promise<ExitCode | undefined>,
): Promise<never> {
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => stop.abort());
  let logger = createLogger(name);
  try {
    const config = readConfig<Config>(name, process.argv[2]);
    logger = createLogger(name, config.logLevel);
    process.exit((await main(config, logger, stop.signal)) ?? EXIT_CODES.ok);
  } catch (thrown) {
    const error = MeshError.from(thrown);
    logger.fatal({ code: error.code, error: errorMessage(error), hint: error.hint, stack: error.stack }, "ended");
    process.exit(error.code.startsWith("USAGE") ? EXIT_CODES.usage : EXIT_CODES.failed);
  }
}

function readConfig<Config>(name: string, file: string | undefined): Config {
  if (file === undefined) {
    throw new MeshError("USAGE_CONFIG", `usage: ${name} CONFIG.json`, {
      hint: "this program is started by: isthmus playground up",
    });
  }
  return JSON.parse(readFileSync(file, "utf8")) as Config;
}
