import type { SequenceBuilder } from "../generate/builder.ts";

/** One part of what clients do. */
export interface Area {
  readonly name: string;
  /** How often its sequences come, against the others'. */
  readonly weight: number;
  make(builder: SequenceBuilder): void;
}
