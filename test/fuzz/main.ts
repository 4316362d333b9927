import fc from 'fast-check';
import { attackKeeper } from '../daemon/fixtures/keeper-attack.ts';
import { TARGETS } from './targets.ts';

/** A long run: `npm run fuzz -- CASES [SEED]`, so many cases for each reader. */
const [cases = 1_000_000, seed = Date.now() % 2 ** 31] = process.argv.slice(2).map(Number);
const BATCH = 10_000;
/** The messages of a keeper go to a real process. */
const MOST_MESSAGES = 100_000;
/** No input of these sizes may take longer, ms for a batch. */
const LONGEST = 60_000;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

if (!(cases > 0) || !Number.isSafeInteger(seed)) {
  say('usage: npm run fuzz -- [CASES [SEED]]');
  process.exitCode = 2;
}

for (const { name, property } of process.exitCode === undefined ? TARGETS : []) {
  const began = performance.now();
  let [done, slowest, settled] = [0, 0, 0];
  while (done < cases) {
    const start = performance.now();
    const numRuns = Math.min(BATCH, cases - done);
    fc.assert(property, { numRuns, seed: seed + done, endOnFailure: false });
    slowest = Math.max(slowest, performance.now() - start);
    if (slowest > LONGEST)
      throw new Error(`${name}: ${numRuns} cases took ${slowest} ms (seed ${seed + done})`);
    done += numRuns;
    if (done === 5 * BATCH) settled = process.memoryUsage().rss;
  }
  const grown = settled === 0 ? 0 : (process.memoryUsage().rss - settled) / 2 ** 20;
  const seconds = (performance.now() - began) / 1000;
  say(
    `${name}: ${done} cases in ${seconds.toFixed(0)} s, no crash; slowest ${BATCH} ${slowest.toFixed(0)} ms; memory grew by ${grown.toFixed(0)} MiB (seed ${seed})`,
  );
}

if (process.exitCode === undefined && process.getuid?.() === 0) {
  const ends: (() => unknown)[] = [];
  const messages = Math.min(cases, MOST_MESSAGES);
  try {
    await attackKeeper({ after: end => void ends.push(end) }, messages, seed);
    say(`messages to root's part: ${messages}, no effect but on the farm file (seed ${seed})`);
  } finally {
    for (const end of ends) await end();
  }
}
