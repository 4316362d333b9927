import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOUR, MINUTE } from '../../src/clock.ts';
import { isEc2Error } from '../../src/ec2/errors.ts';
import { findLeftovers } from '../../src/leftovers/find.ts';
import { createWorld, MASTER, tally } from './world.ts';

describe('what is left over', () => {
  it('is everything that a dead balancer has made, in an order in which it can go, with its age and cost', async () => {
    const { launch, clock, find } = createWorld();
    await launch(MASTER, 2);
    await clock.runFor(3 * HOUR);
    const [own] = (await find()).masters;
    assert.deepEqual(tally(own?.leftovers ?? []), {
      instance: 2,
      'spot request': 2,
      volume: 4,
      'launch template': 1,
      'security group': 1,
    });
    assert.deepEqual(own?.held, []);
    const [instance] = own?.leftovers ?? [];
    // Three hours at the bid; the price itself is lower.
    assert.ok(Math.abs((instance?.cost ?? 0) - 0.3) < 1e-9, `${instance?.cost}`);
    assert.equal(clock.wall() - (instance?.bornAt ?? 0), 3 * HOUR);
    const data = own?.leftovers.find(it => it.what.startsWith('20 GiB gp3'));
    assert.ok(Math.abs((data?.cost ?? 0) - (3 / 730) * 20 * 0.08) < 1e-9, `${data?.cost}`);
  });

  it('is never what somebody else has, nor what has no tag, nor what has ended', async () => {
    const { launch, clock, find, terminate } = createWorld();
    await launch('web2', 1);
    await launch(undefined, 2);
    for (const id of await launch(MASTER, 2)) terminate(id);
    const [ending] = (await find()).masters;
    assert.equal(tally(ending?.leftovers ?? []).instance, undefined);
    await clock.runFor(5 * HOUR);
    const own = (await find()).masters;
    assert.equal(own.length, 1);
    // Their data volumes end with them; group and template are there still.
    assert.deepEqual(Object.keys(tally(own[0]?.leftovers ?? [])), [
      'volume',
      'launch template',
      'security group',
    ]);
    const all = await find({ allMasters: true });
    assert.deepEqual(
      all.masters.map(it => [it.master, tally(it.leftovers).instance ?? 0]),
      [
        [MASTER, 0],
        ['web2', 1],
      ],
    );
  });

  it('is not what a running balancer of this machine owns; what a dead sync of the same master had, is', async () => {
    const { launch, locks, find } = createWorld();
    await launch(MASTER, 2);
    await launch(MASTER, 1, 'sync-1');
    locks.add(`master:${MASTER}`);
    const [balancing] = (await find()).masters;
    assert.equal(tally(balancing?.leftovers ?? []).instance, 1);
    assert.ok(balancing?.leftovers.every(it => it.sync === 'sync-1'));
    assert.deepEqual(
      balancing?.held.map(it => [it.why, tally(it.resources).instance]),
      [['a balancer is running on this machine', 2]],
    );

    locks.clear();
    locks.add(`sync:${MASTER}`);
    const [syncing] = (await find()).masters;
    assert.equal(tally(syncing?.leftovers ?? []).instance, 2);
    assert.ok(syncing?.leftovers.every(it => it.sync === undefined));
    assert.equal(tally(syncing?.held[0]?.resources ?? []).instance, 1);
  });

  it('is a snapshot in the making; a complete one is data', async () => {
    const { launch, snapshot, clock, find } = createWorld();
    const [staging = ''] = await launch(MASTER, 1, 'sync-1');
    await snapshot(staging, MASTER, 'sync-1');
    const [making] = (await find()).masters;
    assert.equal(tally(making?.leftovers ?? []).snapshot, 1);
    assert.deepEqual(making?.kept, []);
    await clock.runFor(HOUR);
    const [complete] = (await find()).masters;
    assert.equal(tally(complete?.leftovers ?? []).snapshot, undefined);
    assert.deepEqual(tally(complete?.kept ?? []), { snapshot: 1 });
  });

  it('of other masters is nothing that a balancer elsewhere may be working with', async () => {
    const { launch, sign, template, clock, find } = createWorld();
    await launch('alive', 1);
    await launch('dead', 1);
    await clock.runFor(5 * HOUR);
    await sign(template('alive'), 'web7');
    await launch('new', 1);
    await clock.runFor(12 * MINUTE);
    const { masters } = await find({ allMasters: true });
    assert.deepEqual(
      masters.map(it => [it.master, it.leftovers.length > 0, it.held[0]?.why]),
      [
        [MASTER, false, undefined],
        ['alive', false, 'a balancer on web7 was active 12 min ago'],
        ['dead', true, undefined],
        ['new', false, 'created 12 min ago, so a balancer may be running on another machine'],
      ],
    );
    await clock.runFor(HOUR);
    const later = await find({ allMasters: true });
    assert.ok(later.masters.slice(1).every(it => it.leftovers.length > 0));
  });

  it('of a kind that may not be listed is said to be unknown; the rest is found all the same', async () => {
    const { launch, faults, find } = createWorld();
    await launch(MASTER, 1);
    for (const action of ['DescribeVolumes', 'DescribeSpotInstanceRequests'] as const)
      faults.add({ action, code: 'UnauthorizedOperation' });
    const { masters, unlisted } = await find();
    assert.deepEqual(
      unlisted.map(it => it.kind),
      ['spot request', 'volume'],
    );
    const [instance] = masters[0]?.leftovers ?? [];
    assert.equal(instance?.kind, 'instance');
    assert.equal(instance?.cost, undefined, 'without its request nothing is known of its price');
  });

  for (const action of ['DescribeInstances', 'DescribeLaunchTemplates'] as const) {
    it(`cannot be told without ${action}`, async () => {
      const { faults, find } = createWorld();
      faults.add({ action, code: 'UnauthorizedOperation' });
      await assert.rejects(find(), error => isEc2Error(error) && error.action === action);
    });
  }

  it('is found though EC2 shows it in many pages', async () => {
    const { launch, find, ec2 } = createWorld();
    await launch(MASTER, 7);
    const paged: typeof ec2 = (action, request, options) =>
      ec2(action, action === 'DescribeKeyPairs' ? request : { ...request, MaxResults: 5 }, options);
    const [own] = (await findLeftovers(paged, { master: MASTER, isLockHeld: () => Promise.resolve(false) }))
      .masters;
    assert.deepEqual(tally(own?.leftovers ?? []), tally((await find()).masters[0]?.leftovers ?? []));
    assert.equal(tally(own?.leftovers ?? []).volume, 14);
  });
});
