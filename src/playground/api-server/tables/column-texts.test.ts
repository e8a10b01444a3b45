import { expect, test, vi } from "vitest";
import { columnTexts } from "../gen/watched-forms.ts";

const indexOf = (isWanted: (text: unknown) => boolean) => columnTexts.findIndex(isWanted);
const label = "The status of the node";
const nodeName = "core_v1.PodSpec.nodeName";

test("where descriptions could not be fetched, printers' own words are all that is said", async () => {
  vi.resetModules();
  vi.doMock("#base/asset-path", () => ({ findAsset: () => undefined }));
  const { columnText, textOfField } = await import("./column-texts.ts");
  vi.doUnmock("#base/asset-path");
  expect(columnText(indexOf((text) => text === label))).toBe(label);
  expect(columnText(indexOf((text) => typeof text === "object"))).toBe("");
  expect(textOfField(nodeName)).toBe("");
});
