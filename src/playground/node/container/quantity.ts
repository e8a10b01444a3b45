import type { Quantity } from "#api/kubernetes/gen/types";
import { MeshError } from "#base/mesh-error";

const SUFFIXES: Readonly<Record<string, number>> = {
  "": 1,
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** `100m` is 0.1, `1Gi` is 1073741824. Throws MeshError BAD_QUANTITY. */
export function parseQuantity(quantity: Quantity): number {
  const match = /^([+-]?[\d.]+(?:[eE][+-]?\d+)?)([a-zA-Z]*)$/.exec(String(quantity));
  const factor = SUFFIXES[match?.[2] ?? ""];
  if (!match || factor === undefined) throw new MeshError("BAD_QUANTITY", `"${quantity}" is no Kubernetes quantity`);
  return Number(match[1]) * factor;
}
