// `npm run images`: OCI images of our programs, without Docker and without a registry. The work is in images/.
import { mkdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { buildImages } from "./images/build-images.mjs";
import { ImagesError } from "./images/machine.mjs";
import { oneOf, readFlags } from "./read-flags.mjs";
import { cacheFolder, setUpOrExit } from "./setup.mjs";
import { withLock } from "./with-lock.mjs";

const DEFAULT_HUB = "isthmus";
const DEFAULT_TAG = "0.1.0";

const HELP = `usage: npm run images -- [flags]

Builds OCI images of the control plane (pilot), the agent with Envoy (proxyv2), the cluster DNS (playground-dns) and the
samples, from this clone and this machine's programs. Each image is a folder in the OCI image layout below the output
folder, which is itself a layout of all of them.

      --hub <hub>          what image names begin with (default ${DEFAULT_HUB})
      --tag <tag>          their tag (default ${DEFAULT_TAG})
      --output <dir>       where to write (default \${XDG_CACHE_HOME:-~/.cache}/isthmus/images)
      --tar                also write images.tar, for docker load or ctr images import
      --node <program>     a Node.js program for the images, instead of the pinned one from the npm registry
  -o, --format json|text   how to print names, digests and sizes (default text)
  -h, --help               this text

Examples:
  npm run images -- --hub registry.example/mesh --tag 1.0.0
  skopeo copy oci:$HOME/.cache/isthmus/images/pilot:1.0.0 docker://registry.example/mesh/pilot:1.0.0
  npm run images -- --tar && docker load -i ~/.cache/isthmus/images/images.tar

Digests depend on the sources alone; SOURCE_DATE_EPOCH (seconds) sets the time that images and files carry.
`;

const say = (text) => process.stderr.write(`images: ${text}\n`);

const readOptions = (args) =>
  readFlags({
    name: "images",
    help: HELP,
    args,
    options: {
      hub: { type: "string", default: DEFAULT_HUB },
      tag: { type: "string", default: DEFAULT_TAG },
      output: { type: "string", default: join(cacheFolder(), "images") },
      tar: { type: "boolean", default: false },
      node: { type: "string" },
      format: { type: "string", short: "o", default: "text" },
    },
    convert: ({ values }) => checked(values),
  });

function checked(values) {
  oneOf("-o", values.format, ["text", "json"]);
  if (!/^\w[\w.-]{0,127}$/.test(values.tag)) throw new Error(`--tag ${values.tag} is no tag: letters, digits, _ . -`);
  if (!/^[a-z0-9][a-z0-9._:-]*(\/[a-z0-9][a-z0-9._-]*)*$/.test(values.hub))
    throw new Error(`--hub ${values.hub} is no beginning of an image name: lower-case letters, digits, . _ - /`);
  const epoch = process.env.SOURCE_DATE_EPOCH ?? "0";
  if (!/^\d{1,10}$/.test(epoch)) throw new Error(`SOURCE_DATE_EPOCH is ${epoch}: expected seconds since 1970`);
  return { ...values, epoch: Number(epoch) };
}

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

function render(images, format) {
  if (format === "json") return `${JSON.stringify(images, undefined, 2)}\n`;
  const rows = images.map(({ name, digest, size, unpacked }) => [name, megabytes(size), megabytes(unpacked), digest]);
  const table = [["IMAGE", "SIZE", "UNPACKED", "DIGEST"], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column].length)));
  return `${table.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")).join("\n")}\n`;
}

async function main(args) {
  const options = readOptions(args);
  await setUpOrExit({ systemTools: true, envoy: true, programs: false });
  const begin = Date.now();
  const folder = resolve(options.output);
  try {
    mkdirSync(folder, { recursive: true });
    const onWait = () => say("another build of these images is running: waiting for it ...");
    const build = () => buildImages({ ...options, folder, cache: cacheFolder(), say });
    const { images, changed, stored } = await withLock({ file: join(folder, ".lock"), onWait }, build);
    process.stdout.write(render(images, options.format));
    const time = `${((Date.now() - begin) / 1000).toFixed(1)} s`;
    say(changed ? `${images.length} images in ${folder}, ${megabytes(stored)}, ${time}` : `nothing to do, ${time}`);
    if (options.tar) say(`${join(folder, "images.tar")}, ${megabytes(statSync(join(folder, "images.tar")).size)}`);
  } catch (error) {
    if (!(error instanceof ImagesError)) throw error;
    say(error.message);
    process.exit(1);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await main(process.argv.slice(2));
