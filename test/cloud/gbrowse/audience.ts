import { setTimeout as sleep } from 'node:timers/promises';
import { createBrowser, type Visit } from './browser.ts';

/** People who look at one region after another, all the time. */
export type Audience = {
  /** All that have come to an end, in that order. */
  readonly visits: readonly Visit[];
  /** Resolves when all visits that began before `time` (wall clock, ms) have come to an end. */
  finished(time: number): Promise<void>;
  /** Stops after the visits in progress. */
  leave(): Promise<void>;
};

/** The chromosome of the demo data, without its ends: GBrowse draws what lies beside a region too. */
const CHROMOSOME = 'chrI';
const [FIRST, LAST] = [12_000, 210_000];
const LENGTH = 5_000;
/** So that no region has been drawn before; a prime, to go around the chromosome for long without meeting itself. */
const STEP = 7_919;
const PAUSE = 1_000;

function* regions(): Generator<string> {
  for (let at = 0; ; at += STEP) {
    const from = FIRST + (at % (LAST - FIRST));
    yield `${CHROMOSOME}:${from}..${from + LENGTH}`;
  }
}

export function gather(page: string, people: number): Audience {
  const visits: Visit[] = [];
  const began = new Map<number, number>();
  const next = regions();
  let leaving = false;

  async function look(person: number): Promise<void> {
    const browser = createBrowser(page);
    while (!leaving) {
      began.set(person, Date.now());
      visits.push(await browser.visit(next.next().value));
      began.delete(person);
      await sleep(PAUSE);
    }
  }

  const all = Array.from({ length: people }, (_, person) => look(person));

  return {
    visits,
    async finished(time) {
      while ([...began.values()].some(at => at < time)) await sleep(50);
    },
    async leave() {
      leaving = true;
      await Promise.all(all);
    },
  };
}
