// The embedded API server against a real one, with a new seed each time. Where a long run of an area showed no
// difference, none may appear again; the rest is held by the share of equal answers, which may only rise.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AREAS } from "../../differential/areas/areas.ts";
import { FAULTS } from "../../differential/faults/faults.ts";
import { findFault } from "../../differential/faults/find-fault.ts";
import { readKnownDifferences } from "../../differential/run/known-differences.ts";
import { equalShare, findingText, summaryText } from "../../differential/run/print.ts";
import { type Finding, type RunOptions, runDifferential, showsAgain } from "../../differential/run/run-differential.ts";
import { type ServerPair, startServers } from "../../differential/run/servers.ts";
import { whyNoRealApiServer } from "../../kit/real-api-server.ts";

/** In percent of the answers, of all areas together. */
const EQUAL_AT_LEAST = 99;
/** Entries of known-differences.yaml; this number only falls. */
const MOST_KNOWN_DIFFERENCES = 3;

const reason = whyNoRealApiServer();
if (reason !== undefined) console.warn(`the API servers are not compared: ${reason}`);

describe.skipIf(reason !== undefined)("the embedded API server and a real one", () => {
  let servers: ServerPair;
  beforeAll(async () => {
    servers = await startServers();
  });
  afterAll(() => servers?.stop());

  test("no difference is known that was not known before", () => {
    expect(readKnownDifferences().length).toBeLessThanOrEqual(MOST_KNOWN_DIFFERENCES);
  });

  test("3,000 requests from a new seed", async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const held = new Set(AREAS.filter((area) => area.held === true).map(({ name }) => name));
    const options: RunOptions = {
      pair: servers,
      seed,
      requests: 3000,
      areas: AREAS,
      known: readKnownDifferences(),
      parallel: 6,
      maxFindings: Number.POSITIVE_INFINITY,
      shrink: false,
    };
    const report = await runDifferential(options);
    console.info(summaryText(report));
    const broken: Finding[] = [];
    for (const finding of report.findings.values())
      if (held.has(finding.area) && (await showsAgain(finding, options))) broken.push(finding);
    expect(broken.map(findingText).join("\n\n"), `again with --seed ${seed}`).toBe("");
    expect(equalShare(report)).toBeGreaterThan(EQUAL_AT_LEAST);
  });

  test.each(FAULTS)("finds the planted fault: $name", async (fault) => {
    const result = await findFault(servers, fault, { seed: 20261122, mostRequests: 1000 });
    expect(result.found).toBe(true);
  });
});
