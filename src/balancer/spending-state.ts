import type { Ledger, Rate } from '../budget/ledger.ts';

/** What was spent. `now` is monotonic, all others are wall clock ms. */
export type Spending = {
  /** The state file. */
  readonly file: string;
  readonly ledger: Ledger;
  /** `withoutVolumes`: so many slaves are counted without their volumes, whose size is not known yet. */
  readonly counted: {
    readonly now: number;
    readonly wall: number;
    readonly rate: Rate;
    readonly withoutVolumes: number;
  };
  /** How long slaves were counted without their volumes, ms of one slave. */
  readonly withoutVolumes: number;
  /** Slaves that this process finds are counted since then, or since their launch. */
  readonly since: number;
  /** The price (dollars an hour) that each slave is counted with, where it is known; and how often EC2 had said prices. */
  readonly prices: ReadonlyMap<string, number>;
  readonly answers: number;
  /** What each staging instance costs, dollars an hour; 0 when it has ended. */
  readonly staging: ReadonlyMap<string, number>;
  /** What was written last, and when (monotonic ms). */
  readonly saved?: { readonly ledger: Ledger; readonly at: number };
};
