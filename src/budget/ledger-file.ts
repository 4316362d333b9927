import { readState, type StateKind, type StateRead, stateFileOf, writeState } from '../os/state-file.ts';
import type { Ledger } from './ledger.ts';

/** The expenses of a master, as its state file has them. */
export const LEDGER: StateKind<Ledger> = {
  name: 'budget',
  version: 1,
  mostBytes: 65_536,
  // The money is spent, whatever the clock was; each month has its own sum.
  mayBeFuture: true,
  understand(value) {
    const { months, doubt, usedUp, running, volumes } = Object(value) as Record<string, unknown>;
    const sums = Object.entries(Object(months) as Record<string, unknown>);
    const { month, dollars } = Object(doubt) as Record<string, unknown>;
    if (typeof months !== 'object' || !isMonthOrNone(month) || !isSum(dollars)) return undefined;
    const known = sums.flatMap(([name, sum]) => (isMonth(name) && isSum(sum) ? [[name, sum] as const] : []));
    if (known.length !== sums.length) return undefined;
    const [slaves, disks] = [sumsOf(running), sumsOf(volumes)];
    if (slaves === undefined || disks === undefined) return undefined;
    const ledger = {
      months: Object.fromEntries(known),
      doubt: { month, dollars },
      ...(running !== undefined && { running: slaves }),
      ...(volumes !== undefined && { volumes: disks }),
    };
    if (usedUp === undefined) return ledger;
    const { month: when, budget } = Object(usedUp) as Record<string, unknown>;
    return isMonth(when) && isSum(budget) ? { ...ledger, usedUp: { month: when, budget } } : undefined;
  },
};

const isMonth = (it: unknown): it is string => typeof it === 'string' && /^\d{4}-\d{2}$/.test(it);
const isMonthOrNone = (it: unknown): it is string => it === '' || isMonth(it);
const isSum = (it: unknown): it is number => typeof it === 'number' && Number.isFinite(it) && it >= 0;

/** Sums by any name; undefined if one is none. */
function sumsOf(value: unknown): Record<string, number> | undefined {
  const all = Object.entries(Object(value ?? {}) as Record<string, unknown>);
  const sums = all.flatMap(([name, sum]) => (isSum(sum) ? [[name, sum] as const] : []));
  return sums.length === all.length ? Object.fromEntries(sums) : undefined;
}

/** The state file of what the balancer has spent. */
export type LedgerFile = {
  readonly file: string;
  /** @param now wall clock ms */
  read(now: number): Promise<StateRead<Ledger>>;
  /** @throws the system's error; then the file is unchanged */
  write(ledger: Ledger, now: number): Promise<void>;
};

export function createLedgerFile(place: { readonly directory: string; readonly master: string }): LedgerFile {
  const { directory, master } = place;
  const file = stateFileOf(directory, LEDGER, master);
  return {
    file,
    read: now => readState(file, LEDGER, { master, now }),
    write: (ledger, now) => writeState(file, LEDGER, { master, now }, ledger),
  };
}
