import { parentPort, workerData } from 'node:worker_threads';
import { MINUTE } from '../../src/clock.ts';
import { run } from './course.ts';
import { drawHistory } from './history.ts';
import { shrink } from './shrink.ts';

/** What a worker is given. */
export type Order = {
  readonly minutes: number;
  /** How many lines of a failed history's log are wanted. */
  readonly lines: number;
};

/** What came of one seed. */
export type Result = {
  readonly seed: number;
  readonly simulated: number;
  readonly troubles: number;
  readonly ec2Calls: number;
  readonly launched: number;
  /** A violation, with the history that was made as short as could be, in words. */
  readonly violation?: string;
};

async function resultOf(seed: number, { minutes, lines }: Order): Promise<Result> {
  const history = drawHistory(seed, minutes * MINUTE);
  const { violations, simulated, troubles, ec2Calls, launched } = await run(history);
  const result = { seed, simulated, troubles, ec2Calls, launched };
  const [violation] = violations;
  if (violation === undefined) return result;
  const short = await shrink(history, violation);
  const again = await run(short);
  const { at, invariant, facts } = violation;
  return {
    ...result,
    violation: [
      `seed ${seed}, after ${at / 1000} s, invariant ${invariant}: ${facts}`,
      ...again.lines.slice(-lines),
      `the history, for regressions.jsonl:\n${JSON.stringify(short)}`,
    ].join('\n'),
  };
}

/** Asked for one seed after another, answers with its result. */
parentPort?.on('message', (seed: number) => {
  const order: Order = workerData;
  void resultOf(seed, order).then(result => parentPort?.postMessage(result));
});
