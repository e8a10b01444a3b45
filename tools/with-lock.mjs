// One process at a time, across processes: a lock file that names its owner and outlives no one.
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";

/** Runs `action` while no other process holds the file; a lock whose owner is gone is taken over. */
export async function withLock({ file, onWait }, action) {
  // Linked into place with its content, so that nobody ever reads a lock without an owner.
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, String(process.pid));
  try {
    for (let waited = false; !isLinked(mine, file); waited = true) {
      if (removeDead(file)) continue;
      if (!waited) onWait();
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  } finally {
    rmSync(mine, { force: true });
  }
  const release = () => rmSync(file, { force: true });
  process.on("exit", release);
  try {
    return await action();
  } finally {
    release();
    process.off("exit", release);
  }
}

function isLinked(mine, file) {
  try {
    linkSync(mine, file);
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

/** True when the lock is gone. Moved aside first: a lock that a third process made meanwhile is put back, not lost. */
function removeDead(file) {
  if (ownerLives(file)) return false;
  const aside = `${file}.${process.pid}.dead`;
  try {
    renameSync(file, aside);
    if (ownerLives(aside)) isLinked(aside, file);
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
  }
  rmSync(aside, { force: true });
  return true;
}

function ownerLives(file) {
  try {
    const pid = Number(readFileSync(file, "utf8"));
    if (!(pid > 0)) return false;
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
