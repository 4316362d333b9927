import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MINUTE, SECOND } from '../../src/clock.ts';
import { serving } from './world.ts';

const MORE = { table: [[1, 3, 3]] } as const;

describe('a configuration file that was written', () => {
  for (const pollInterval of [SECOND, 30 * SECOND, 10 * MINUTE]) {
    it(`is taken up without a signal within a minute, with a poll every ${pollInterval / SECOND} s`, async () => {
      const master = { pollInterval };
      const world = await serving(1, { master });
      world.writeConfig({ ...MORE, master });
      const written = world.now();
      const at = await world.when('three slaves', () => world.live().length === 3);
      assert.ok(at - written <= 75 * SECOND, `after ${(at - written) / SECOND} s`);
      assert.equal(world.log.count(/^aws_balancer.conf has been changed: configuration read again$/), 1);
    });
  }

  it('and is wrong is refused, once for each time; the balancer goes on with the old one', async () => {
    const world = await serving(1);
    for (const line of [3, 4]) {
      world.writeConfig(`aws_balancer.conf:${line}: not a number`);
      await world.run(10 * MINUTE);
      assert.equal(world.log.count(new RegExp(`not changed: aws_balancer.conf:${line}: not a number`)), 1);
    }
    assert.equal(world.live().length, 1);
    world.writeConfig(MORE);
    await world.when('three in the farm', () => world.farm.urls().length === 3);
  });

  it('changes nothing in a stop that is under way', async () => {
    const world = await serving(1);
    world.balancer.stop();
    world.writeConfig(MORE);
    assert.equal(await world.clock.run(world.balancer.ended), 'clean');
    world.assertNothingLeft();
  });
});
