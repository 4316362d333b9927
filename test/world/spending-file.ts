import { type Ledger, NOTHING_SPENT } from '../../src/budget/ledger.ts';
import { LEDGER } from '../../src/budget/ledger-file.ts';
import { type StateRead, stateText, understandState } from '../../src/os/state-file.ts';

/** How the state file of what was spent is lost. */
export type Loss = 'torn' | 'gone' | 'of another master';

/** The state file of what was spent, on a disk that loses nothing by itself. */
export type SpendingFile = {
  read(): StateRead<Ledger>;
  write(ledger: Ledger): void;
  lose(how: Loss): void;
};

export function createSpendingFile(master: string, wall: () => number): SpendingFile {
  let text: string | undefined;
  return {
    read: () => (text === undefined ? { kind: 'missing' } : understandState(text, LEDGER, master, wall())),
    write(ledger) {
      text = stateText(LEDGER, { master, now: wall() }, ledger);
    },
    lose(how) {
      if (how === 'gone') text = undefined;
      else if (how === 'torn') text = text?.slice(0, Math.floor(text.length * 0.6));
      else text = stateText(LEDGER, { master: 'another', now: wall() }, NOTHING_SPENT);
    },
  };
}
