// What the documents say of the repository is true: paths exist, dependencies are explained, versions agree.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { ISTHMUS_VERSION } from "#api/constants/names";

const root = dirname(dirname(import.meta.dirname));
const { rooms } = (await import(join(root, "rooms.mjs"))) as {
  rooms: Record<string, { readonly may: readonly string[] }>;
};
const read = (path: string) => readFileSync(join(root, path), "utf8");
const markdownIn = (folder: string) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(folder, name));

const documents = [
  "README.md",
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  ...markdownIn("docs"),
  ...markdownIn("docs/decisions"),
];
const packageJson = JSON.parse(read("package.json")) as Record<string, Record<string, string>> & { version: string };

/** Text in backticks that names a file of the repository or of a room: it has a slash, or ends like a source file. */
function pathsIn(text: string): string[] {
  const quoted = [...text.matchAll(/`([^`\s]+)`/g)].map((match) => match[1] ?? "");
  return quoted.filter((path) => {
    if (/^[./]*(src|tests|docs|samples|tools|bench|bin)\//.test(path)) return !path.startsWith("/");
    return (
      /^[\w-]{2}[\w/-]*\.(ts|mjs)$/.test(path) ||
      (Object.keys(rooms).includes(path.split("/")[0] ?? "") && path.includes("/"))
    );
  });
}

const folderOf = (path: string) => path.replace(/\/\*.*$/, "").replace(/^\.\//, "");

/** A bare file name, as `endpoint-slices.ts` in a sentence about a room, lies in the room of the path named before. */
function missingPaths(text: string): string[] {
  let room = "";
  return pathsIn(text).filter((path) => {
    const plain = folderOf(path);
    const candidates = [plain, join("src", plain), join("src", room, plain), join("tests", plain)];
    const found = candidates.find((candidate) => existsSync(join(root, candidate)));
    if (found !== undefined && plain.includes("/")) room = dirname(found).replace(/^src\/?/, "");
    return found === undefined;
  });
}

describe.each(documents)("%s", (document) => {
  test("names only paths that exist", () => {
    expect(missingPaths(read(document))).toEqual([]);
  });

  test("links only to what exists", () => {
    const links = [...read(document).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map((match) => match[1] ?? "");
    expect(links.filter((link) => !existsSync(join(root, dirname(document), link)))).toEqual([]);
  });
});

test("README and CONTRIBUTING name only scripts that package.json has", () => {
  const named = documents.flatMap((document) =>
    [...read(document).matchAll(/npm run ([\w:-]+)/g)].map((match) => match[1] ?? ""),
  );
  expect(named.filter((script) => !(script in (packageJson["scripts"] ?? {})))).toEqual([]);
});

test("each dependency has its line, and each line its dependency", () => {
  const own = Object.keys({ ...packageJson["dependencies"], ...packageJson["devDependencies"] });
  const rows = [...read("docs/dependencies.md").matchAll(/^\| ([@\w][^|]*?) \| (.*?) \|/gm)].filter(
    (row) => row[1] !== "package" && row[1] !== "program",
  );
  const programs = read("docs/dependencies.md").split("## Programs")[1] ?? "";
  const told = rows.filter(([line]) => !programs.includes(line)).flatMap((row) => (row[1] ?? "").split(", "));
  const covers = (name: string, package_: string) =>
    name.endsWith("*") ? package_.startsWith(name.slice(0, -1)) : name === package_;
  expect(own.filter((package_) => !told.some((name) => covers(name, package_)))).toEqual([]);
  expect(told.filter((name) => !own.some((package_) => covers(name, package_)))).toEqual([]);
});

test("the programs say the version of the package", () => {
  expect(ISTHMUS_VERSION).toBe(packageJson.version);
});

describe("decisions", () => {
  const decisions = markdownIn("docs/decisions");

  test("have numbers of their own", () => {
    const numbers = decisions.map((path) => /(\d{3})-[a-z0-9-]+\.md$/.exec(path)?.[1]);
    expect(numbers).not.toContain(undefined);
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  test.each(decisions)("%s tells context, choice and price, in this order", (path) => {
    const headings = [...read(path).matchAll(/^\*\*(\w+)\.\*\*/gm)].map((match) => match[1]);
    expect(headings).toEqual(["Context", "Choice", "Price"]);
  });
});

describe("rooms", () => {
  test.each(Object.keys(rooms).filter((room) => existsSync(join(root, "src", room))))("%s has a README", (room) => {
    expect(existsSync(join(root, "src", room, "README.md"))).toBe(true);
  });

  test("each has a row, in an order in which no arrow goes up", () => {
    const names = Object.keys(rooms);
    expect(readdirSync(join(root, "src")).filter((room) => !names.includes(room))).toEqual([]);
    const up = Object.entries(rooms).flatMap(([room, { may }]) =>
      may
        .filter((other) => other !== "*" && names.indexOf(other) >= names.indexOf(room))
        .map((other) => `${room} -> ${other}`),
    );
    expect(up).toEqual([]);
  });
});
