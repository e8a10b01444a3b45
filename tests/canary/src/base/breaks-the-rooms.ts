// A forbidden arrow on purpose: base may import no room. tools/check-rooms.mjs fails when this is not found.
import { setAtPath } from "../../../../src/install/tree.ts";

export const canary = setAtPath;
