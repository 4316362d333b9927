import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOUR, MINUTE } from '../../src/clock.ts';
import { run } from './course.ts';
import { drawHistory, type History } from './history.ts';
import type { Mutation } from './mutation.ts';
import { REGRESSIONS } from './regressions.ts';
import { shrink } from './shrink.ts';

const DAY = 24 * HOUR;

async function assertHolds(history: History): Promise<void> {
  const { violations, lines } = await run(history);
  const facts = violations.map(({ invariant, facts }) => `${invariant}. ${facts}`).join('\n');
  assert.deepEqual(violations, [], `seed ${history.seed}:\n${facts}\n${lines.slice(-80).join('\n')}`);
}

describe('in a world that breaks everything, the invariants hold', () => {
  for (const [from, to] of [
    [1, 40],
    [41, 80],
    [81, 120],
  ] as const) {
    it(`through the hours of seeds ${from} to ${to}`, async () => {
      for (let seed = from; seed <= to; seed++) await assertHolds(drawHistory(seed));
    });
  }

  it('through quiet weeks, in which something happens now and then', async () => {
    for (let seed = 1; seed <= 2; seed++) await assertHolds(drawHistory(`week ${seed}`, 7 * DAY));
  });

  for (const { what, history } of REGRESSIONS) {
    it(`where once ${what}`, () => assertHolds(history));
  }
});

describe('a history', () => {
  it('takes the same course each time, to the byte', async () => {
    for (let seed = 1; seed <= 5; seed++) {
      const [one, other] = [await run(drawHistory(seed)), await run(drawHistory(seed))];
      assert.equal(one.digest, other.digest);
      assert.deepEqual(one.lines, other.lines);
      assert.ok(one.troubles > 0 && one.lines.length > 50);
    }
  });

  it('is another one with another seed', async () => {
    assert.notEqual((await run(drawHistory(1))).digest, (await run(drawHistory(2))).digest);
  });

  it('survives being written down', async () => {
    const history = drawHistory(7);
    const read: History = JSON.parse(JSON.stringify(history));
    assert.equal((await run(history)).digest, (await run(read)).digest);
  });

  it('that fails can be made shorter, and fails still', async () => {
    const mutation: Mutation = () => ({ edges: { probe: () => Promise.resolve('answered') } });
    const history = drawHistory(1, 20 * MINUTE);
    const { violations } = await run(history, { mutation });
    const [violation] = violations;
    assert.ok(violation);
    const short = await shrink(history, violation, { mutation, most: 60 });
    assert.ok(short.troubles.length < history.troubles.length);
    assert.equal((await run(short, { mutation })).violations[0]?.invariant, violation.invariant);
  });
});
