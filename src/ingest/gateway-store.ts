import type { ClusterId } from "#model/ids";
import type { MeshChange } from "#model/mesh-change";
import { compareGateways, type Networks, NO_NETWORKS } from "#model/network";
import { sameFacts } from "#model/same-facts";
import type { GatewayFacts } from "./fact.ts";

/** Gateways into networks by the object that declares them. */
export class GatewayStore {
  readonly #facts = new Map<
    string,
    { readonly cluster: ClusterId; readonly source: string; readonly value: GatewayFacts }
  >();
  #snapshot: Networks | undefined = NO_NETWORKS;

  /** The same object until something changes. */
  get networks(): Networks {
    this.#snapshot ??= this.#build();
    return this.#snapshot;
  }

  apply(cluster: ClusterId, source: string, value: GatewayFacts | undefined): readonly MeshChange[] {
    const key = `${cluster} ${source}`;
    if (sameFacts(this.#facts.get(key)?.value, value)) return [];
    if (value === undefined) this.#facts.delete(key);
    else this.#facts.set(key, { cluster, source, value });
    this.#snapshot = undefined;
    return [{ kind: "networks" }];
  }

  sourcesOf(cluster: ClusterId): readonly string[] {
    return [...this.#facts.values()].flatMap((fact) => (fact.cluster === cluster ? [fact.source] : []));
  }

  #build(): Networks {
    const facts = [...this.#facts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, fact]) => fact.value);
    return Object.freeze({
      gateways: Object.freeze(facts.flatMap((fact) => fact.gateways).sort(compareGateways)),
      unusable: Object.freeze(facts.flatMap((fact) => fact.unusable)),
    });
  }
}
