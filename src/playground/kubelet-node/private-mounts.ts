// Kubelet and containerd write to folders whose names nobody can set: sockets of shims, results of CNI, links to logs. In a
// mount namespace of their own these are empty or thrown away, so that nodes never meet and the machine stays as it was.

/** Hidden, as it is there only for what runs. */
const HIDDEN = "/run";
/** Read as they are; what is written goes with the namespace. */
const COVERED = ["/var/lib", "/var/log"];

/**
 * A shell program, to be run in a new mount namespace, whose further arguments are the command it becomes. `kept` are
 * folders that stay writable, the same inside and outside.
 */
export function privateMountsScript(kept: readonly string[]): string {
  const hides = (folder: string) => [HIDDEN, ...COVERED].some((above) => folder.startsWith(`${above}/`));
  const saved = kept.filter(hides).map((folder, index) => ({ folder: shellQuote(folder), descriptor: index + 10 }));
  return [
    "set -e",
    // A descriptor finds the folder when its name leads elsewhere.
    ...saved.map(({ folder, descriptor }) => `exec ${descriptor}<${folder}`),
    `mount -t tmpfs -o mode=0755 isthmus ${HIDDEN}`,
    "mkdir /run/netns /run/lock /run/isthmus",
    ...COVERED.flatMap((folder, index) => cover(folder, `/run/isthmus/${index}`)),
    ...saved.flatMap(({ folder, descriptor }) => [
      `mkdir -p ${folder}`,
      `mount --rbind /proc/self/fd/${descriptor} ${folder}`,
      `exec ${descriptor}<&-`,
    ]),
    'exec "$@"',
  ].join("\n");
}

function cover(folder: string, store: string): string[] {
  const options = `lowerdir=${folder},upperdir=${store}/upper,workdir=${store}/work`;
  return [`mkdir -p ${store}/upper ${store}/work`, `mount -t overlay -o ${options} isthmus ${folder}`];
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
