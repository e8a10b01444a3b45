// `isthmus playground` whose API servers and nodes are stubs: the life of a playground without what lives in it.
import { playgroundCommand, processContext } from "#playground/lifecycle/playground-command";

const context = processContext();
await playgroundCommand({
  ...context,
  program: (name) =>
    name === "playground-supervisor"
      ? context.program(name)
      : [process.execPath, process.env["STUB_PROGRAM"] ?? "", name],
}).parseAsync(process.argv);
