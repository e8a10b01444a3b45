// Prints the path of the Go compiler that builds what tests and playground need; fetches it first when need be.
import { findGo } from "./kubernetes/go-toolchain.mjs";
import { cacheFolder } from "./setup.mjs";

const say = (text) => process.stderr.write(`go: ${text}\n`);
process.stdout.write(`${findGo({ cache: cacheFolder(), say })}\n`);
