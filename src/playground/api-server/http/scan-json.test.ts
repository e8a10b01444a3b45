// Sentences of Go's decoder, as a real API server gives them.
import { describe, expect, it } from "vitest";
import { scanJson } from "./scan-json.ts";

describe("scanJson", () => {
  it.each([
    ["", "unexpected end of JSON input"],
    ["{", "unexpected end of JSON input"],
    ["{x", "invalid character 'x' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 2}', "invalid character '2' after object key:value pair"],
    ["[1 2]", "invalid character '2' after array element"],
    ["{} x", "invalid character 'x' after top-level value"],
    ["xyz", "invalid character 'x' looking for beginning of value"],
    ['{"a":fals', "invalid character ' ' in literal false (expecting 'e')"],
    ['{"a":"b', "unexpected end of JSON input"],
    ['{"a":"\\', "invalid character ' ' in string escape code"],
    ['"\\u12', "invalid character ' ' in \\u hexadecimal character escape"],
    ['"\\u12x4"', "invalid character 'x' in \\u hexadecimal character escape"],
    ["-", "invalid character ' ' in numeric literal"],
    ["[1.", "invalid character ' ' after decimal point in numeric literal"],
    ["1e+", "invalid character ' ' in exponent of numeric literal"],
    ["01", "invalid character '1' after top-level value"],
    ['"\u0001"', "invalid character '\\x01' in string literal"],
    ["[1,]", "invalid character ']' looking for beginning of value"],
    ["é", "invalid character 'Ã' looking for beginning of value"],
    ["'", "invalid character '\\'' looking for beginning of value"],
  ])("%j: %s", (text, fault) => {
    expect(scanJson(text).fault).toBe(fault);
  });

  it("reads well-formed text", () => {
    expect(scanJson('{"a":[1,-2.5e3,true,null,"\\u00e9"]}')).toEqual({ fault: undefined, duplicates: [] });
  });

  it("tells keys that stand twice, by their path", () => {
    const text = '{"spec":{"containers":[{"image":"a","image":"b"}]},"kind":"A","kind":"B"}';
    expect(scanJson(text).duplicates).toEqual(["spec.containers[0].image", "kind"]);
  });
});
