// Images name their user by number or by name; names are looked up in the image's own files, as text.
import { closeSync, constants, openSync, readFileSync } from "node:fs";
import { join } from "node:path";

const MAX_LINE_FIELDS = 4;

/** `UID[:GID]` of `USER[:GROUP]`. Throws an Error for a name that the image does not know. */
export function numericUser(root: string, user: string): string {
  if (user === "") return "0:0";
  const [name = "", group] = user.split(":");
  const person = lineOf(root, "etc/passwd", name);
  const uid = isNumber(name) ? name : person?.[2];
  if (uid === undefined) throw new Error(`its user ${name} is not in its /etc/passwd`);
  if (group === undefined || group === "") return `${uid}:${person?.[3] ?? "0"}`;
  const gid = isNumber(group) ? group : lineOf(root, "etc/group", group)?.[2];
  if (gid === undefined) throw new Error(`its group ${group} is not in its /etc/group`);
  return `${uid}:${gid}`;
}

const isNumber = (text: string) => /^\d+$/.test(text);

/** The fields of the line of a name or number; a file that is a link out of the image is not followed. */
function lineOf(root: string, file: string, wanted: string): string[] | undefined {
  const lines = readPlain(join(root, file)).split("\n");
  const fields = lines.map((line) => line.split(":", MAX_LINE_FIELDS));
  return fields.find(([name, , id]) => name === wanted || (isNumber(wanted) && id === wanted));
}

function readPlain(path: string): string {
  try {
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      return readFileSync(descriptor, "utf8");
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return "";
  }
}
