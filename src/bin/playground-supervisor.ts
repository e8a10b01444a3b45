// Holds one playground together; `isthmus playground up` starts it inside namespaces of its own.
import { runProgram } from "#playground/lifecycle/run-program";
import { runSupervisor } from "#playground/lifecycle/run-supervisor";

void runProgram("playground-supervisor", runSupervisor);
