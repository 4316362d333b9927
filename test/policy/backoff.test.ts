import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HOUR, MINUTE, SECOND } from '../../src/clock.ts';
import type { Trouble } from '../../src/ec2/errors.ts';
import {
  afterFailedBoot,
  afterGoodBoot,
  afterLaunch,
  afterReady,
  afterRefusal,
  type Backoff,
  FAILED_BOOTS_TOLERATED,
  NO_BACKOFF,
  permitted,
} from '../../src/policy/backoff.ts';

function failedBoots(count: number, now: number): Backoff {
  let backoff = NO_BACKOFF;
  for (let i = 0; i < count; i++) backoff = afterFailedBoot(backoff, 'test', now);
  return backoff;
}

describe('the backoff of launches', () => {
  it('permits at once what is wanted when nothing went wrong', () => {
    assert.deepEqual(permitted(NO_BACKOFF, 3, 8, 0), { count: 3, notBefore: 0 });
  });

  for (const [trouble, first, longest] of [
    ['capacity', 30 * SECOND, 10 * MINUTE],
    ['price', MINUTE, 5 * MINUTE],
    ['quota', 2 * MINUTE, 30 * MINUTE],
    ['throttling', 5 * SECOND, 2 * MINUTE],
    ['permission', MINUTE, 30 * MINUTE],
  ] as [Trouble, number, number][]) {
    it(`waits ${first / SECOND} s after a first refusal for ${trouble}, and at most ${longest / MINUTE} min`, () => {
      let backoff = afterRefusal(NO_BACKOFF, trouble, 'why', 0);
      assert.equal(permitted(backoff, 1, 8, first - 1).count, 0);
      assert.equal(permitted(backoff, 1, 8, first).count, 1);
      for (let i = 0; i < 30; i++) backoff = afterRefusal(backoff, trouble, 'why', backoff.notBefore);
      const last = backoff.notBefore;
      assert.equal(afterRefusal(backoff, trouble, 'why', last).notBefore - last, longest);
    });
  }

  it('starts over when a different action fails: that is progress', () => {
    let pace = NO_BACKOFF;
    for (const action of ['CreateSecurityGroup', 'CreateLaunchTemplate', 'CreateFleet']) {
      const now = pace.notBefore;
      pace = afterRefusal(pace, 'service', 'why', now, action);
      const first = pace.notBefore - now;
      assert.ok(first <= 5 * SECOND, `${action}: ${first} ms`);
      pace = afterRefusal(pace, 'service', 'why', pace.notBefore, action);
      assert.equal(pace.notBefore - now, 3 * first);
      assert.equal(pace.refusals, 2);
    }
  });

  it('paces what a launch needs as the launch itself where somebody has to change something', () => {
    const pace = afterRefusal(NO_BACKOFF, 'permission', 'why', 0, 'CreateSecurityGroup');
    assert.equal(pace.notBefore, MINUTE);
  });

  it('forgets refusals with the first launch', () => {
    const backoff = afterLaunch(afterRefusal(NO_BACKOFF, 'price', 'too low', 0), 1, MINUTE);
    assert.equal(backoff.reason, undefined);
    assert.equal(backoff.refusals, 0);
  });

  it('makes only single attempts, ten minutes apart and then slower, after five failed boots in a row', () => {
    assert.equal(permitted(failedBoots(FAILED_BOOTS_TOLERATED - 1, 0), 4, 8, 0).count, 4);
    let backoff = failedBoots(FAILED_BOOTS_TOLERATED, 0);
    const waits: number[] = [];
    for (let attempt = 0, now = 0; attempt < 8; attempt++) {
      const { count, notBefore } = permitted(backoff, 4, 8, now);
      assert.equal(count, 0, 'not at once');
      waits.push((notBefore - now) / MINUTE);
      assert.equal(permitted(backoff, 4, 8, notBefore).count, 1, 'one slave alone');
      now = notBefore;
      backoff = afterFailedBoot(afterLaunch(backoff, 1, now), 'test', now);
    }
    assert.deepEqual(waits, [10, 20, 40, 80, 160, 320, 360, 360]);
    assert.match(backoff.reason ?? '', /13 slaves in a row did not become ready/);
  });

  it('is as it was after one good boot', () => {
    const backoff = afterGoodBoot(failedBoots(9, 0));
    assert.deepEqual(permitted(backoff, 4, 8, 1), { count: 4, notBefore: 0 });
    assert.equal(backoff.reason, undefined);
  });

  it('does not count launches whose slaves became ready: a load that goes up and down has its slaves', () => {
    let backoff = NO_BACKOFF;
    let launched = 0;
    for (let now = 0; now < HOUR; now += 2 * MINUTE) {
      const { count } = permitted(backoff, 1, 3, now);
      launched += count;
      if (count > 0) backoff = afterReady(afterLaunch(backoff, count, now), now + MINUTE);
    }
    assert.equal(launched, 30);
  });

  it('never launches more than four times the largest max (at least 12) in any hour, and those that became ready', () => {
    const event = fc.record({
      after: fc.nat(20 * MINUTE),
      wanted: fc.nat(10),
      boots: fc.constantFrom('good', 'failed', 'pending', 'ready'),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 200 }), fc.nat(10), (events, ceiling) => {
        let backoff = NO_BACKOFF;
        let now = 0;
        const launched: number[] = [];
        const ready: number[] = [];
        for (const { after, wanted, boots } of events) {
          now += after;
          const { count } = permitted(backoff, wanted, ceiling, now);
          if (count > 0) backoff = afterLaunch(backoff, count, now);
          for (let i = 0; i < count; i++) launched.push(now);
          if (boots === 'good') backoff = afterGoodBoot(backoff);
          if (boots === 'ready' && ready.length < launched.length) {
            backoff = afterReady(backoff, now);
            ready.push(now);
          }
          if (boots === 'failed') backoff = afterFailedBoot(backoff, 'test', now);
          // One that became ready is forgotten after an hour, which takes nothing back that was launched on its account.
          if (count === 0) continue;
          const lately = launched.filter(at => at > now - HOUR);
          const fruitless = Math.max(12, 4 * ceiling);
          assert.ok(lately.length <= fruitless + ready.filter(at => at > now - HOUR).length);
          assert.ok(lately.length <= 3 * fruitless);
        }
      }),
    );
  });
});
