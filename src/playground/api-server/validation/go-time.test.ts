import { describe, expect, it } from "vitest";
import { MICRO_LAYOUT, readGoTime, SECONDS_LAYOUT } from "./go-time.ts";

const fault = (text: string, layout = SECONDS_LAYOUT) => readGoTime(text, layout).fault;

describe("readGoTime", () => {
  it.each([
    ["2001-02-03T04:05:06Z", "2001-02-03T04:05:06Z"],
    ["2001-02-03T04:05:06.987654321Z", "2001-02-03T04:05:06Z"],
    ["2001-02-03T04:05:06+02:30", "2001-02-03T01:35:06Z"],
  ])("reads %s", (text, shown) => {
    expect(readGoTime(text, SECONDS_LAYOUT)).toEqual({ text: shown, fault: "" });
  });

  it("keeps microseconds", () => {
    expect(readGoTime("2001-02-03T04:05:06.123456Z", MICRO_LAYOUT).text).toBe("2001-02-03T04:05:06.123456Z");
  });

  it("says where a text leaves its layout", () => {
    const as = `as "${SECONDS_LAYOUT}": cannot parse`;
    expect(fault("yesterday")).toBe(`parsing time "yesterday" ${as} "yesterday" as "2006"`);
    expect(fault("2001-02-03")).toBe(`parsing time "2001-02-03" ${as} "" as "T"`);
    expect(fault("2001-2-03T")).toBe(`parsing time "2001-2-03T" ${as} "2-03T" as "01"`);
    expect(fault("2001-02-30T04:05:06Z")).toBe('parsing time "2001-02-30T04:05:06Z": day out of range');
    expect(fault("2001-13-03T04:05:06Z")).toBe('parsing time "2001-13-03T04:05:06Z": month out of range');
    expect(fault("2001-02-03T04:05:06Zx")).toBe('parsing time "2001-02-03T04:05:06Zx": extra text: "x"');
  });

  it("wants the six digits of microseconds", () => {
    expect(fault("2001-02-03T04:05:06Z", MICRO_LAYOUT)).toBe(
      `parsing time "2001-02-03T04:05:06Z" as "${MICRO_LAYOUT}": cannot parse "Z" as ".000000"`,
    );
  });
});
