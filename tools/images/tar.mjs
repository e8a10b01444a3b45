// A tar archive whose bytes depend on its entries alone: sorted by path, one time, numeric owners, no names of machines.
const BLOCK = 512;
const TYPES = { file: "0", symlink: "2", directory: "5" };
const MAX_NAME = 100;
const MAX_PREFIX = 155;

/**
 * One entry: `path` inside the archive without a leading slash, `type`, `mode`, `uid`, `gid`; `content` (Buffer) of a
 * file, `target` of a symlink. `mtime` in seconds is the same for all. Gives the archive in pieces.
 */
export function* tarPieces(entries, mtime) {
  for (const entry of [...entries].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const content = entry.type === "file" ? entry.content : Buffer.alloc(0);
    yield header(entry, content.length, mtime);
    yield content;
    const rest = content.length % BLOCK;
    if (rest > 0) yield Buffer.alloc(BLOCK - rest);
  }
  yield Buffer.alloc(2 * BLOCK);
}

function header(entry, size, mtime) {
  const block = Buffer.alloc(BLOCK);
  const { name, prefix } = splitPath(entry.type === "directory" ? `${entry.path}/` : entry.path);
  if (Buffer.byteLength(entry.target ?? "") > MAX_NAME)
    throw new Error(`link target too long for tar: ${entry.target}`);
  block.write(name, 0);
  block.write(octal(entry.mode, 8), 100);
  block.write(octal(entry.uid ?? 0, 8), 108);
  block.write(octal(entry.gid ?? 0, 8), 116);
  block.write(octal(size, 12), 124);
  block.write(octal(mtime, 12), 136);
  block.write("        ", 148);
  block.write(TYPES[entry.type], 156);
  block.write(entry.target ?? "", 157);
  block.write("ustar\x0000", 257, "latin1");
  block.write(prefix, 345);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

function octal(value, length) {
  const text = value.toString(8).padStart(length - 1, "0");
  if (text.length >= length) throw new Error(`${value} does not fit into a tar header`);
  return `${text}\0`;
}

/** ustar holds up to 255 bytes of path: the end in one field, folders before it in another. */
function splitPath(path) {
  if (Buffer.byteLength(path) <= MAX_NAME) return { name: path, prefix: "" };
  for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
    const [prefix, name] = [path.slice(0, slash), path.slice(slash + 1)];
    const fits = Buffer.byteLength(name) <= MAX_NAME && Buffer.byteLength(prefix) <= MAX_PREFIX;
    if (fits && name !== "") return { name, prefix };
  }
  throw new Error(`path too long for tar: ${path}`);
}
