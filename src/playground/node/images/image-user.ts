// Images name their user by number or by name; names are looked up in the image's own files, as text.
import { closeSync, constants, openSync, readFileSync } from "node:fs";
import { join } from "node:path";

const PASSWD_FIELDS = 7;

/** What an image's own files say of one of its users. */
export interface ImageAccount {
  readonly gid: number;
  readonly home: string;
  /** Further groups that count the user as a member. */
  readonly groups: readonly number[];
}

/** Undefined for a number that the image knows nothing of. */
export function accountOf(root: string, uid: number): ImageAccount | undefined {
  const [name = "", , , gid, , home = ""] = linesOf(root, "etc/passwd").find((fields) => fields[2] === `${uid}`) ?? [];
  if (gid === undefined) return undefined;
  const member = linesOf(root, "etc/group").filter(([, , , members = ""]) => members.split(",").includes(name));
  return { gid: Number(gid), home: home || "/", groups: member.map((fields) => Number(fields[2])) };
}

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
  return linesOf(root, file).find(([name, , id]) => name === wanted || (isNumber(wanted) && id === wanted));
}

function linesOf(root: string, file: string): string[][] {
  const lines = readPlain(join(root, file)).split("\n");
  return lines.map((line) => line.split(":", PASSWD_FIELDS));
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
