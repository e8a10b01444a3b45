import { destination, type Logger as PinoLogger, pino } from "pino";

/** One line an event, JSON on standard error, keys not prose; `cluster` and `proxy` are bound where they are known. */
export type Logger = PinoLogger;

export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Makes the one logger of a program; rooms get children of it. Writes synchronously so that a crash loses no line. */
export function createLogger(program: string, level: LogLevel = "info"): Logger {
  return pino(
    { name: program, level, base: { program }, timestamp: pino.stdTimeFunctions.isoTime },
    destination({ fd: 2, sync: true }),
  );
}

/** A logger that writes nothing, for tests and short commands. */
export function silentLogger(): Logger {
  return pino({ level: "silent" });
}
