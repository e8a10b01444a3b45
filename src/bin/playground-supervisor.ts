// Holds one playground together; `isthmus playground up` starts it inside namespaces of its own.
import { runProgram } from "#playground/lifecycle/run-program";
import { runSupervisor } from "#playground/lifecycle/run-supervisor";

await runProgram("playground-supervisor", runSupervisor);
