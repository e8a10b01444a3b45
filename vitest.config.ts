import { defineConfig } from "vitest/config";

const resolve = { conditions: ["source"] };
const ssr = { resolve: { conditions: ["source"] } };

export default defineConfig({
  resolve,
  ssr,
  test: {
    projects: [
      {
        resolve,
        ssr,
        test: {
          name: "unit",
          testTimeout: 120_000,
          hookTimeout: 120_000,
          include: ["src/**/*.test.ts", "tests/property/**/*.test.ts", "tests/tools/**/*.test.ts"],
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: "golden",
          testTimeout: 120_000,
          hookTimeout: 120_000,
          include: ["tests/golden/**/*.test.ts", "tests/scripts/**/*.test.ts"],
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: "e2e",
          include: ["tests/e2e/**/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
          pool: "forks",
        },
      },
    ],
  },
});
