import { parseArgs } from 'node:util';
import { type Ec2StandIn, startEc2 } from '../peers/ec2-stand-in.ts';
import { assertEmpty, drawMoments, type Found, killOnce, likeEc2, type Moment, nameOf } from './kill.ts';

/**
 * Kills balancers at random moments: `node test/e2e/kill-main.ts [--kills 100] [--seed TEXT] [--at-once 10]`. Needs the
 * built executable. It ends with 1 at the first that the next balancer did not make good.
 */
const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    seed: { type: 'string', default: String(Date.now()) },
    'at-once': { type: 'string', default: '10' },
  },
});

const say = (text: string) => void process.stdout.write(`${text}\n`);

type Done = { readonly moment: Moment; readonly found: Found };

/** What the masters at work have left to clean up: whatever ends this process, no balancer outlives it. */
const cleanUps = new Set<() => unknown>();
process.once('exit', () => {
  for (const act of cleanUps) act();
});

async function killOne(ec2: Ec2StandIn, index: number, moment: Moment): Promise<Done> {
  const own: (() => unknown)[] = [];
  const context = {
    passed: false,
    after(act: () => unknown) {
      own.push(act);
      cleanUps.add(act);
    },
    diagnostic: say,
  };
  try {
    const found = await killOnce(context, ec2, nameOf(index), moment);
    context.passed = true;
    return { moment, found };
  } finally {
    for (const act of own) {
      cleanUps.delete(act);
      await act();
    }
  }
}

/** One after the other, so many at once; after a failure no more are begun. */
async function killAll(moments: readonly Moment[]): Promise<readonly Done[]> {
  const ec2 = await startEc2();
  await likeEc2(ec2);
  const done: Done[] = [];
  const waiting = [...moments.entries()];
  async function work(): Promise<void> {
    try {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [index, moment] = next;
        const one = await killOne(ec2, index, moment);
        done.push(one);
        const { takenUp, ...there } = one.found;
        const what = Object.entries(there).map(([name, count]) => `${count} ${name}`);
        say(
          `${index + 1}: ${moment.after} ms into its ${moment.phase}: ${what.join(', ')}; ${takenUp} taken up`,
        );
      }
    } finally {
      waiting.length = 0;
    }
  }
  try {
    const workers = await Promise.allSettled(Array.from({ length: Number(values['at-once']) }, work));
    for (const it of workers) if (it.status === 'rejected') throw it.reason;
    await assertEmpty(ec2);
  } finally {
    await ec2.stop();
  }
  return done;
}

say(`seed ${values.seed}`);
const since = Date.now();
const done = await killAll(drawMoments(values.seed, Number(values.kills)));
const sum = (count: (found: Found) => number) => done.reduce((total, { found }) => total + count(found), 0);
say(
  `${done.length} balancers killed in ${Math.round((Date.now() - since) / 1000)} s, seed ${values.seed}: ${sum(it => it.instances)} instances were live, ${sum(it => it.takenUp)} were taken up; the account was empty each time`,
);
