import type { Clock } from '../clock.ts';
import { SECOND } from '../clock.ts';

/** What a sync shows to people. */
export type Report = {
  /** What is done. */
  say(line: string): void;
  warn(line: string): void;
  /** Details for finding a mistake. */
  detail(line: string): void;
  /** Progress: on a terminal each replaces the one before, elsewhere a line now and then. */
  progress(text: string): void;
};

/** Where it is written to. */
export type Screen = { readonly isTTY?: boolean; readonly columns?: number; write(text: string): unknown };

const ON_TERMINAL = SECOND / 5;
const ELSEWHERE = 30 * SECOND;

/**
 * @param verbosity 0 nothing but errors, 1 warnings, 2 what is done, 3 everything
 */
export function createReport(screen: Screen, clock: Clock, verbosity: number): Report {
  let shown = false;
  let shownAt = Number.NEGATIVE_INFINITY;

  function line(text: string): void {
    if (shown) screen.write('\r\x1b[K');
    shown = false;
    screen.write(`${visible(text)}\n`);
  }

  return {
    say: text => {
      if (verbosity >= 2) line(text);
    },
    warn: text => {
      if (verbosity >= 1) line(`warning: ${text}`);
    },
    detail: text => {
      if (verbosity >= 3) line(text);
    },
    progress: text => {
      const now = clock.monotonic();
      if (verbosity < 2 || now - shownAt < (screen.isTTY === true ? ON_TERMINAL : ELSEWHERE)) return;
      // A short step needs no line about its progress.
      if (screen.isTTY !== true && shownAt === Number.NEGATIVE_INFINITY) {
        shownAt = now;
        return;
      }
      shownAt = now;
      if (screen.isTTY !== true) return line(`  ${text}`);
      screen.write(`\r\x1b[K  ${visible(text)}`.slice(0, (screen.columns ?? 80) + 4));
      shown = true;
    },
  };
}

/** File names may hold anything; nothing of it steers the terminal. */
function visible(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, character =>
    character === '\n' ? '\n' : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
