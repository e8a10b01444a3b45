// Something large that is made again when it is needed and forgotten: the memory is the collector's to take in between.

export function loadedWhileUsed<T extends object>(load: () => T): () => T {
  let kept: WeakRef<T> | undefined;
  return () => {
    const found = kept?.deref() ?? load();
    kept = new WeakRef(found);
    return found;
  };
}
