// Turns rooms.mjs into errors. tools/check-rooms.mjs runs it and proves with a canary that it still bites.
import { rooms } from "./rooms.mjs";

const from = (room) => `^(src|tests/canary/src)/${room}/`;
const forbidden = Object.entries(rooms)
  .filter(([, row]) => !row.may.includes("*"))
  .map(([room, row]) => ({
    name: `room-${room}`,
    comment: `${room} may import ${["itself", ...row.may].join(", ")}: ${row.advice}`,
    severity: "error",
    from: { path: from(room) },
    to: { path: "^(src|tests/canary/src)/", pathNot: `^(src|tests/canary/src)/(${[room, ...row.may].join("|")})/` },
  }));

export default {
  forbidden: [
    ...forbidden,
    {
      name: "no-circle",
      comment: "two files that need each other are one file, or lack a third",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "no-test-kit",
      comment: "the test kit serves tests only",
      severity: "error",
      from: { path: "^src/", pathNot: "\\.test\\.ts$" },
      to: { path: "^tests/" },
    },
    {
      name: "nobody-imports-bin",
      comment: "bin is the last room",
      severity: "error",
      from: { pathNot: "^src/bin/" },
      to: { path: "^src/bin/" },
    },
    {
      name: "resolvable",
      comment: "an import that cannot be resolved",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: ["node_modules", "/gen/"] },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    parser: "swc",
    enhancedResolveOptions: {
      conditionNames: ["source", "import", "node", "default"],
      exportsFields: ["exports"],
      extensions: [".ts", ".js", ".mjs", ".json"],
    },
  },
};
