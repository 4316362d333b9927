import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { MINUTE } from '../../src/clock.ts';
import type { Order, Result } from './worker.ts';

const DAY = 24 * 60 * MINUTE;

/**
 * A long run of the simulated world: one history for each seed, until a violation or until there were enough. Each core
 * takes the next seed when it is through with one; what comes of a seed does not depend on that.
 */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '1000' },
      from: { type: 'string', default: '1' },
      minutes: { type: 'string', default: '60' },
      lines: { type: 'string', default: '60' },
      cores: { type: 'string', default: String(availableParallelism()) },
      'go-on': { type: 'boolean', default: false },
    },
  });
  const [seeds = -1, from = -1, minutes = -1, lines = -1, cores = -1] = [
    values.seeds,
    values.from,
    values.minutes,
    values.lines,
    values.cores,
  ].map(Number);
  if (![seeds, from, minutes, lines, cores].every(it => Number.isSafeInteger(it) && it >= 0) || cores === 0) {
    say('usage: npm run world -- [--seeds N] [--from SEED] [--minutes M] [--lines N] [--cores N] [--go-on]');
    return 2;
  }
  const sum = { histories: 0, simulated: 0, troubles: 0, calls: 0, launched: 0, violations: 0 };
  const began = performance.now();
  let reported = began;

  function report(): void {
    const wall = (performance.now() - began) / MINUTE;
    const { user, system } = process.cpuUsage();
    const cpu = (user + system) / 1000 / MINUTE;
    const days = sum.simulated / DAY;
    say(
      `${sum.histories} histories, ${days.toFixed(1)} simulated days, ${sum.troubles} faults, ${sum.calls} EC2 calls, ` +
        `${sum.launched} launches, ${sum.violations} violations; in ${wall.toFixed(1)} min: ` +
        `${Math.round(sum.histories / wall)} histories and ${Math.round(days / wall)} simulated days a minute ` +
        `(${Math.round(days / cpu)} for each core)`,
    );
  }

  function take(result: Result): void {
    sum.histories += 1;
    sum.simulated += result.simulated;
    sum.troubles += result.troubles;
    sum.calls += result.ec2Calls;
    sum.launched += result.launched;
    if (result.violation !== undefined) {
      sum.violations += 1;
      say(`\n${result.violation}`);
    }
    if (performance.now() - reported > MINUTE / 6) {
      reported = performance.now();
      report();
    }
  }

  let next = from;
  const order: Order = { minutes, lines };
  const isOver = () => next >= from + seeds || (sum.violations > 0 && !values['go-on']);

  async function work(): Promise<void> {
    const worker = new Worker(new URL('worker.ts', import.meta.url), { workerData: order });
    const done = Promise.withResolvers<void>();
    worker.on('error', done.reject);
    worker.on('message', (result: Result) => {
      take(result);
      if (isOver()) done.resolve();
      else worker.postMessage(next++);
    });
    if (isOver()) done.resolve();
    else worker.postMessage(next++);
    await done.promise.finally(() => worker.terminate());
  }

  await Promise.all(Array.from({ length: Math.min(cores, seeds) }, work));
  report();
  return sum.violations === 0 ? 0 : 1;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

process.exitCode = await main();
