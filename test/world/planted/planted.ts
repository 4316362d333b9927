import type { History } from '../history.ts';
import type { InvariantNumber } from '../invariants/invariant.ts';
import type { Mutation } from '../mutation.ts';

/** A bug, the invariant that it breaks, and how it is planted. */
export type Planted = {
  readonly bug: string;
  readonly breaks: InvariantNumber;
  readonly mutation: Mutation;
  /** Where the bug shows but seldom: what happens in addition, so that a few seeds are enough. */
  readonly provoked?: (history: History) => History;
};
