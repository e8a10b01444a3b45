import { runTool } from "../run-tool.ts";

/** Where the system's own tools are; what starts them keeps nothing else of its own environment. */
export const TOOL_ENVIRONMENT = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" } as const;

/** Runs a short command to its end and returns its standard output. Throws as `runTool`. */
export function runCommand(file: string, args: readonly string[], input = ""): Promise<string> {
  return runTool(file, args, { input, env: TOOL_ENVIRONMENT });
}
