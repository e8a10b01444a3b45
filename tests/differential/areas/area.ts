import type { SequenceBuilder } from "../generate/builder.ts";

/** One part of what clients do. */
export interface Area {
  readonly name: string;
  /** How often its sequences come, against the others'; 0: only when it is asked for by name. */
  readonly weight: number;
  /** A long run showed no difference: from then on the end-to-end test lets none appear. Never taken back. */
  readonly held?: boolean;
  make(builder: SequenceBuilder): void;
}
