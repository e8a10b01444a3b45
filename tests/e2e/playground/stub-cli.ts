// `isthmus playground` whose API servers and nodes are stubs: the life of a playground without what lives in it.
import { fileURLToPath } from "node:url";
import { playgroundCommand, processContext } from "#playground/lifecycle/playground-command";

const context = processContext();
const stub = fileURLToPath(new URL("stub-program.mjs", import.meta.url));
await playgroundCommand({
  ...context,
  program: (name) => (name === "playground-supervisor" ? context.program(name) : [process.execPath, stub, name]),
}).parseAsync(process.argv);
