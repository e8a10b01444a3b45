// Checks every arrow of the house against rooms.mjs, and that the check still bites: the canary's forbidden import must
// be found, and the number of modules must not have collapsed (a resolver that sees nothing reports success).
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { rooms } from "../rooms.mjs";
import { readFlags } from "./read-flags.mjs";

const HELP = `npm run rooms

Checks every import of src against the table of rooms.mjs, and that the check still finds a forbidden one.

  -h, --help   this text

Example: npm run rooms
Exit code 0: all imports are allowed, 1: one is not, 2: wrong usage.
`;
readFlags({ name: "rooms", help: HELP });

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const MIN_MODULES = 150;

function cruise(folder) {
  const cli = join(root, "node_modules", "dependency-cruiser", "bin", "dependency-cruise.mjs");
  const run = spawnSync(
    process.execPath,
    [cli, folder, "--config", ".dependency-cruiser.mjs", "--output-type", "json"],
    {
      cwd: root,
      encoding: "utf8",
      maxBuffer: 256 << 20,
    },
  );
  if (run.error !== undefined || run.stdout === "")
    throw new Error(`dependency-cruiser failed: ${run.error ?? run.stderr}`);
  return JSON.parse(run.stdout).summary;
}

function fail(text) {
  process.stderr.write(`rooms: ${text}\n`);
  process.exitCode = 1;
}

const unknown = readdirSync(join(root, "src")).filter((name) => !(name in rooms));
if (unknown.length > 0) fail(`src/${unknown.join(", src/")} has no row in rooms.mjs`);

const house = cruise("src");
const inHouse = house.totalCruised;
for (const violation of house.violations) {
  fail(
    `${violation.from} -> ${violation.to}: ${violation.rule.name}${violation.comment ? ` (${violation.comment})` : ""}`,
  );
}
if (inHouse < MIN_MODULES)
  fail(`only ${inHouse} modules were seen, expected at least ${MIN_MODULES}: the check sees too little`);

const canary = cruise("tests/canary/src");
if (!canary.violations.some((violation) => violation.rule.name === "room-base")) {
  fail("the canary's forbidden import was not found: the check does not bite any more");
}
if (process.exitCode === undefined)
  process.stdout.write(`rooms: ${inHouse} modules, no forbidden arrow; the canary was caught\n`);
