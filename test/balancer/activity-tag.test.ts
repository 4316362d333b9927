import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { describe, it } from 'node:test';
import { decide } from '../../src/balancer/decide.ts';
import { recordSignOfLife } from '../../src/balancer/observe.ts';
import { recordPlan } from '../../src/balancer/observe-launch.ts';
import { initialState, type State } from '../../src/balancer/state.ts';
import { HOUR, MINUTE } from '../../src/clock.ts';
import { ALIVE_TAG } from '../../src/spot/tags.ts';
import { createWorld, serving, type World } from './world.ts';

/** As after the first look at EC2. */
function recordDescribed(state: State): State {
  state.describedAt = 0;
  return state;
}

/** What the activity tag on this master's launch template says: how old it is, and whose. */
function activityIn(world: World): { readonly age: number; readonly host: string } | undefined {
  const [template] = world.cloud.account.launchTemplates();
  const [time = '', host = ''] = template?.tags[ALIVE_TAG]?.split(' ') ?? [];
  return time === '' ? undefined : { age: world.clock.wall() - Date.parse(time), host };
}

describe('a running balancer keeps an activity tag on its launch template', () => {
  it('at once, and never an older one than half an hour', async () => {
    const world = createWorld({ load: 3 });
    world.start();
    await world.when('a launch', () => world.live().length > 0);
    await world.run(5_000);
    assert.equal(activityIn(world)?.host, hostname());
    for (let minute = 0; minute < 300; minute++) {
      await world.run(MINUTE);
      const { age = Number.POSITIVE_INFINITY } = activityIn(world) ?? {};
      assert.ok(age < 21 * MINUTE, `after ${minute} minutes it is ${age / MINUTE} minutes old`);
    }
  });

  it('also on one that it has only found, with no slave and no load', async () => {
    const load = [
      { from: 0, requestsPerSecond: 3 },
      { from: 10 * MINUTE, requestsPerSecond: 0 },
    ];
    const world = createWorld({ load });
    world.start();
    await world.until(3 * HOUR);
    assert.deepEqual(world.live(), []);
    world.kill();
    await world.run(3 * HOUR);
    world.start();
    await world.run(MINUTE);
    assert.ok((activityIn(world)?.age ?? HOUR) < 2 * MINUTE);
    await world.run(5 * HOUR);
    assert.ok((activityIn(world)?.age ?? HOUR) < 21 * MINUTE);
  });

  it('also when its first plan is made while it looks for a template in vain', () => {
    const config = createWorld().configOf();
    const state = initialState({ config, runId: 'run', listed: [], now: 0, followsConfig: false });
    const plan = { templateId: 'lt-1', imageId: 'ami-1', pools: [], spotBid: 0.1, found: false };
    recordSignOfLife(state, false, 1);
    assert.equal(
      decide(recordDescribed(state), 1).tasks.some(it => it.kind === 'mark-alive'),
      false,
    );
    recordPlan(state, config, plan, 2);
    recordSignOfLife(state, false, 3);
    const task = decide(state, 4).tasks.find(it => it.kind === 'mark-alive');
    assert.deepEqual(task, { kind: 'mark-alive', templateIds: ['lt-1'] });
  });

  it('on the new one when the configuration makes a new one', async () => {
    const world = await serving(1);
    const [before] = world.cloud.account.launchTemplates();
    world.balancer.reconfigure(world.configOf({ slave: { ports: [8101, 8102] } }));
    await world.when('a new template', () => world.cloud.account.launchTemplates()[0]?.id !== before?.id);
    await world.run(MINUTE);
    assert.ok((activityIn(world)?.age ?? HOUR) < 2 * MINUTE);
  });

  it('and none of this stops anything when EC2 refuses', async () => {
    const world = createWorld({ load: 3 });
    world.cloud.faults.add({ action: 'CreateTags', code: 'UnauthorizedOperation' });
    world.start();
    await world.when('a slave in the farm', () => world.farm.urls().length === 1);
    await world.run(HOUR);
    assert.ok(world.log.has(/cannot be tagged with the time of the last activity.*allow ec2:CreateTags/));
    assert.equal(world.log.count(/cannot be tagged with the time/), 1);
    assert.equal(world.farm.urls().length, 1);
    world.cloud.faults.clear();
    await world.when('an activity tag', () => activityIn(world) !== undefined);
    assert.equal(await world.stop(), 'clean');
    world.assertNothingLeft();
  });

  it('no longer once it has stopped', async () => {
    const world = await serving(1);
    assert.equal(await world.stop({ keepSlaves: true }), 'slaves kept');
    const { age = 0 } = activityIn(world) ?? {};
    await world.run(2 * HOUR);
    assert.equal(activityIn(world)?.age, age + 2 * HOUR);
  });
});
