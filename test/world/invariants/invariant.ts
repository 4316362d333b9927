import type { Scene } from '../scene.ts';
import type { Witness } from '../witness.ts';

/** The number of an invariant. */
export type InvariantNumber = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15 | 16;

/** Says that an invariant does not hold, with the facts. */
export type Accuse = (invariant: InvariantNumber, facts: string) => void;

/** Watches a world and accuses when something is not as it must be. */
export type Invariant = (scene: Scene, accuse: Accuse) => Partial<Witness>;
