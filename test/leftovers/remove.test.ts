import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HOUR, MINUTE, SECOND } from '../../src/clock.ts';
import { createWorld, MASTER } from './world.ts';

describe('removing what is left over', () => {
  it('ends the instances first, waits for them, and leaves nothing', async () => {
    const { launch, snapshot, remove, calls, rest } = createWorld();
    await launch(MASTER, 2);
    const [staging = ''] = await launch(MASTER, 1, 'sync-1');
    await snapshot(staging, MASTER, 'sync-1');
    const outcomes = await remove();
    assert.deepEqual(outcomes.slice(0, 3), ['instance: removed', 'instance: removed', 'instance: removed']);
    assert.deepEqual(
      new Set(outcomes.slice(3)),
      new Set([
        'spot request: gone',
        'volume: gone',
        'volume: removed',
        'snapshot: removed',
        'launch template: removed',
        'security group: removed',
      ]),
    );
    const changing = calls()
      .map(it => it.action)
      .filter(it => /^(Terminate|Delete|Cancel)/.test(it));
    assert.deepEqual(
      [...new Set(changing)],
      ['TerminateInstances', 'DeleteVolume', 'DeleteSnapshot', 'DeleteLaunchTemplate', 'DeleteSecurityGroup'],
    );
    assert.deepEqual(await rest(), []);
    assert.deepEqual(await remove(), [], 'a second time there is nothing to do');
  });

  it('touches nothing that is not ours, held or data, whatever there is', async () => {
    const owner = fc.constantFrom('nobody', MASTER, 'dead', 'alive');
    const thing = fc.record({ owner, sync: fc.boolean(), count: fc.integer({ min: 0, max: 3 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(thing, { maxLength: 6 }),
        fc.subarray([`master:${MASTER}`, `sync:${MASTER}`]),
        fc.boolean(),
        async (things, locked, allMasters) => {
          const { launch, snapshot, sign, clock, account, locks, remove } = createWorld();
          for (const name of locked) locks.add(name);
          const ids = new Map<string, readonly string[]>();
          for (const [index, { owner: who, sync, count }] of things.entries()) {
            const run = sync ? `${who}-sync` : undefined;
            const launched = await launch(who === 'nobody' ? undefined : who, count, run);
            ids.set(`${index}`, launched);
            if (sync && who !== 'nobody' && launched[0] !== undefined)
              await snapshot(launched[0], who, `${who}-sync`);
          }
          await clock.runFor(9 * HOUR);
          for (const it of account.launchTemplates())
            if (it.tags['gbrowse-aws-balancer:master'] === 'alive') await sign(it.id, 'elsewhere');
          const isSpared = ({ owner: who, sync }: (typeof things)[number]) =>
            who === 'nobody' ||
            who === 'alive' ||
            (who === 'dead' && !allMasters) ||
            (who === MASTER && locks.has(`${sync ? 'sync' : 'master'}:${MASTER}`));
          const [templates, snapshots] = [account.launchTemplates(), account.snapshots().length];
          await remove({ allMasters });
          for (const [index, it] of things.entries()) {
            for (const id of ids.get(`${index}`) ?? [])
              assert.equal(
                account.instance(id)?.state,
                isSpared(it) ? 'running' : 'terminated',
                JSON.stringify(it),
              );
          }
          const left = new Set(account.launchTemplates().map(it => it.id));
          templates.forEach((template, index) => {
            const it = things[index];
            assert.equal(left.has(template.id), it !== undefined && isSpared(it));
          });
          assert.equal(account.snapshots().length, snapshots, 'data stay');
        },
      ),
      { numRuns: 60 },
    );
  });

  it('goes on after an error, and can be done again', async () => {
    const { launch, faults, remove, rest } = createWorld();
    await launch(MASTER, 1);
    const removeFault = faults.add({ action: 'DeleteVolume', code: 'UnauthorizedOperation' });
    const outcomes = await remove();
    const failed = outcomes.filter(it => it.includes('failed'));
    assert.deepEqual(failed, [
      'volume: failed: DeleteVolume: UnauthorizedOperation: EC2 answers UnauthorizedOperation. (allow ec2:DeleteVolume to this user or role)',
    ]);
    assert.deepEqual(outcomes.slice(-2), ['launch template: removed', 'security group: removed']);
    removeFault();
    assert.deepEqual(await remove(), ['volume: removed']);
    assert.deepEqual(await rest(), []);
  });

  it('asks again when EC2 is too busy, does not answer, or has done it without saying so', async () => {
    const { launch, faults, remove, rest } = createWorld();
    await launch(MASTER, 2);
    for (const when of ['before', 'after'] as const) {
      for (const action of ['TerminateInstances', 'DeleteVolume', 'DeleteLaunchTemplate'] as const)
        faults.add({ action, when, code: when === 'before' ? 'RequestLimitExceeded' : 'NoAnswer', count: 1 });
    }
    faults.add({
      action: 'DescribeInstances',
      match: it => 'Filters' in it && it.Filters?.length === 2,
      code: 'InternalError',
      count: 2,
    });
    const outcomes = await remove();
    assert.ok(
      outcomes.every(it => !it.includes('failed')),
      outcomes.join('\n'),
    );
    assert.deepEqual(await rest(), []);
  });

  it('waits until EC2 lets go of what an ended instance had', async () => {
    const { launch, faults, remove } = createWorld();
    await launch(MASTER, 1);
    faults.add({ action: 'DeleteVolume', code: 'VolumeInUse', count: 3 });
    faults.add({ action: 'DeleteSecurityGroup', code: 'DependencyViolation', count: 3 });
    const outcomes = await remove();
    assert.ok(
      outcomes.every(it => !it.includes('failed')),
      outcomes.join('\n'),
    );
  });

  it('ends the others when one instance may not be ended', async () => {
    const { launch, faults, remove, account } = createWorld();
    const [stubborn = '', other = ''] = await launch(MASTER, 2);
    faults.add({
      action: 'TerminateInstances',
      match: it => 'InstanceIds' in it && it.InstanceIds?.includes(stubborn) === true,
      code: 'OperationNotPermitted',
    });
    const outcomes = await remove();
    assert.equal(account.instance(stubborn)?.state, 'running');
    assert.equal(account.instance(other)?.state, 'terminated');
    const failed = outcomes.filter(it => it.includes('failed')).map(it => it.split(': ', 4).join(': '));
    assert.deepEqual(failed, [
      'instance: failed: TerminateInstances: OperationNotPermitted',
      'volume: failed: DeleteVolume: VolumeInUse',
      'volume: failed: DeleteVolume: VolumeInUse',
      'security group: failed: DeleteSecurityGroup: DependencyViolation',
    ]);
  });

  it('spares what a balancer elsewhere has taken up meanwhile', async () => {
    const { launch, clock, sign, template, remove, account } = createWorld();
    await launch('web2', 1);
    await clock.runFor(5 * HOUR);
    void clock.sleep(10 * SECOND).then(() => sign(template('web2'), 'web2.example.org'));
    const outcomes = await remove({ allMasters: true });
    assert.equal(outcomes[0], 'instance: removed');
    for (const outcome of outcomes.slice(3)) {
      assert.match(outcome, /: left: a balancer on web2\.example\.org was active/);
    }
    assert.notEqual(template('web2'), '');
    assert.equal(account.groups().length, 2);
  });

  it('does not wait for ever to see that an instance has ended', async () => {
    const { launch, remove, faults, clock } = createWorld();
    await launch(MASTER, 1);
    faults.add({
      action: 'DescribeInstances',
      match: it => 'Filters' in it && it.Filters?.length === 2,
      code: 'InternalError',
    });
    const before = clock.monotonic();
    const outcomes = await remove();
    assert.match(
      outcomes[0] ?? '',
      /^instance: failed: its state cannot be read: DescribeInstances: InternalError/,
    );
    assert.ok(clock.monotonic() - before < 8 * MINUTE);
    assert.ok(
      outcomes.slice(1).every(it => !it.includes('failed')),
      outcomes.join('\n'),
    );
  });
});
