import type { Scene } from '../scene.ts';
import type { Witness } from '../witness.ts';

/** The number of an invariant, 1 to 9. */
export type Number9 = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;

/** Says that an invariant does not hold, with the facts. */
export type Accuse = (invariant: Number9, facts: string) => void;

/** Watches a world and accuses when something is not as it must be. */
export type Invariant = (scene: Scene, accuse: Accuse) => Partial<Witness>;
