// The flags of every command that takes IstioOperator input, and the way from them to a resolved installation.
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import type { Command } from "commander";
import { NAMES } from "#api/constants/names";
import { type ParsedOperator, parseOperators } from "#api/install/istio-operator/parse-operator";
import { MeshError } from "#base/mesh-error";
import { type InstallInputs, type ResolvedInstall, resolveInstall } from "#install/resolve-install";
import { type CliContext, printLine } from "./cli-context.ts";

export interface OperatorFlags {
  readonly filename?: readonly string[];
  readonly set?: readonly string[];
  readonly revision?: string;
  readonly manifests?: string;
  readonly charts?: string;
}

const collect = (value: string, previous: readonly string[] = []) => [...previous, value];

export function withOperatorFlags(command: Command): Command {
  return command
    .option("-f, --filename <file>", "IstioOperator file, - for standard input; repeatable, later files win", collect)
    .option(
      "-s, --set <path=value>",
      "one value of the spec, such as values.global.network=network1; repeatable",
      collect,
    )
    .option("-r, --revision <name>", "revision of the control plane")
    .option("-d, --manifests <path>", "accepted for compatibility: manifests are part of this program")
    .option("--charts <path>", "old name of --manifests")
    .option("--force", "accepted for compatibility");
}

export async function readInstall(
  flags: OperatorFlags & { readonly istioNamespace?: string },
  io: CliContext,
): Promise<ResolvedInstall> {
  return resolveInstall(await readInstallInputs(flags, io));
}

/** Reads the files of the flags in order; what is understood and left out is told on standard error. */
export async function readInstallInputs(
  flags: OperatorFlags & { readonly istioNamespace?: string },
  io: CliContext,
): Promise<InstallInputs> {
  const charts = flags.manifests ?? flags.charts;
  if (charts !== undefined)
    printLine(io.stderr, `Warning: ${charts} is not read: the manifests are part of this program`);
  const parsed: ParsedOperator[] = [];
  for (const file of flags.filename ?? []) parsed.push(...(await readOperators(file, io)));
  for (const warning of parsed.flatMap((operator) => operator.warnings)) printLine(io.stderr, `Warning: ${warning}`);
  return {
    operators: parsed.map((operator) => operator.operator),
    set: [...namespaceFlag(flags.istioNamespace), ...(flags.set ?? [])],
    ...(flags.revision === undefined ? {} : { revision: flags.revision }),
  };
}

/** --istioNamespace says where the control plane goes; its default must not win over what a file says. */
function namespaceFlag(namespace: string | undefined): string[] {
  if (namespace === undefined || namespace === NAMES.systemNamespace) return [];
  return [`values.global.istioNamespace=${namespace}`];
}

async function readOperators(file: string, io: CliContext): Promise<ParsedOperator[]> {
  if (file === "-") {
    const found = parseOperators(await text(io.stdin), "standard input");
    if (found.length === 0) throw new MeshError("OPERATOR_MISSING", "standard input holds no IstioOperator");
    return found;
  }
  let content: string;
  try {
    content = readFileSync(file, "utf8");
  } catch (cause) {
    throw new MeshError("FILE_UNREADABLE", `cannot read ${file}`, { cause, hint: "check the path given to -f" });
  }
  const found = parseOperators(content, file);
  if (found.length === 0) throw new MeshError("OPERATOR_MISSING", `${file} holds no IstioOperator`);
  return found;
}
