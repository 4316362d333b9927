import { parseArgs } from 'node:util';
import { MINUTE } from '../../src/clock.ts';
import { run } from './course.ts';
import { drawHistory } from './history.ts';
import { shrink } from './shrink.ts';

const DAY = 24 * 60 * MINUTE;

/** A long run of the simulated world: one history for each seed, until a violation or until there were enough. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '1000' },
      from: { type: 'string', default: '1' },
      minutes: { type: 'string', default: '60' },
      lines: { type: 'string', default: '60' },
      'go-on': { type: 'boolean', default: false },
    },
  });
  const [seeds, from, minutes, lines] = [values.seeds, values.from, values.minutes, values.lines].map(Number);
  if (![seeds, from, minutes, lines].every(it => it !== undefined && Number.isSafeInteger(it) && it >= 0)) {
    say('usage: npm run world -- [--seeds N] [--from SEED] [--minutes M] [--lines N] [--go-on]');
    return 2;
  }
  const sum = { histories: 0, simulated: 0, troubles: 0, calls: 0, launched: 0, violations: 0 };
  const began = performance.now();
  let reported = began;
  const report = () => {
    const wall = (performance.now() - began) / MINUTE;
    say(
      `${sum.histories} histories, ${(sum.simulated / DAY).toFixed(1)} simulated days, ${sum.troubles} faults, ` +
        `${sum.calls} EC2 calls, ${sum.launched} launches, ${sum.violations} violations; in ${wall.toFixed(1)} min: ` +
        `${Math.round(sum.histories / wall)} histories and ${Math.round(sum.simulated / DAY / wall)} simulated days a minute`,
    );
  };
  for (let seed = from ?? 1; seed < (from ?? 1) + (seeds ?? 0); seed++) {
    const history = drawHistory(seed, (minutes ?? 60) * MINUTE);
    const course = await run(history);
    sum.histories += 1;
    sum.simulated += course.simulated;
    sum.troubles += course.troubles;
    sum.calls += course.ec2Calls;
    sum.launched += course.launched;
    const [violation] = course.violations;
    if (violation !== undefined) {
      sum.violations += 1;
      say(
        `\nseed ${seed}, after ${violation.at / 1000} s, invariant ${violation.invariant}: ${violation.facts}`,
      );
      const short = await shrink(history, violation);
      const again = await run(short);
      say(again.lines.slice(-(lines ?? 60)).join('\n'));
      say(`the history, for regressions.ts:\n${JSON.stringify(short)}`);
      if (!values['go-on']) break;
    }
    if (performance.now() - reported > MINUTE / 6) {
      reported = performance.now();
      report();
    }
  }
  report();
  return sum.violations === 0 ? 0 : 1;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

process.exitCode = await main();
