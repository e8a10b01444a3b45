// Locks that cannot be left behind: abstract Unix sockets of the host's network namespace. The kernel frees the name when
// its process ends, however it ends; and whoever connects learns of the end at once.
import { createServer, connect as dial, type Server, type Socket } from "node:net";
import { type PlaygroundPaths, playgroundId } from "./playground-paths.ts";

export interface HeldLock {
  release(): Promise<void>;
}

/** Held by an `up` from its first check until the playground is ready. */
export const startLock = (paths: PlaygroundPaths) => `\0isthmus/playground/start/${playgroundId(paths)}`;
/** Held by the supervisor all its life. */
export const runLock = (paths: PlaygroundPaths) => `\0isthmus/playground/run/${playgroundId(paths)}`;
/** Held by the supervisor that uses an outer segment: two that start together never choose the same. */
export const outerLock = (cidr: string) => `\0isthmus/playground/outer/${cidr}`;

/** Undefined when another process holds it. Never waits. */
export function holdLock(name: string): Promise<HeldLock | undefined> {
  return new Promise((resolve, reject) => {
    const sockets = new Set<Socket>();
    const server: Server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => socket.destroy()).on("close", () => sockets.delete(socket));
    });
    server.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(undefined);
      else reject(error);
    });
    server.listen(name, () => {
      server.unref();
      const release = () =>
        new Promise<void>((done) => {
          server.close(() => done());
          for (const socket of sockets) socket.destroy();
        });
      resolve({ release });
    });
  });
}

/** Undefined when nobody holds the lock; else a promise that settles when its holder is gone. */
export function watchLock(name: string): Promise<{ readonly released: Promise<void> } | undefined> {
  return new Promise((resolve) => {
    const socket = dial(name);
    const released = new Promise<void>((done) => socket.on("close", () => done()));
    // A refused connection and one cut by SIGKILL both mean: nobody there.
    socket.on("error", () => resolve(undefined));
    socket.on("connect", () => {
      socket.unref();
      socket.resume();
      resolve({ released });
    });
  });
}

export async function isLocked(name: string): Promise<boolean> {
  const held = await holdLock(name);
  await held?.release();
  return held === undefined;
}
