import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { commandLineOf } from '../../src/os/process.ts';
import { childrenOf } from '../daemon/fixtures/run.ts';
import { type Ec2StandIn, ec2Missing, startEc2 } from '../peers/ec2-stand-in.ts';
import { type ModStatus, startModStatus } from '../peers/mod-status.ts';
import { createMaster, until } from './world.ts';

const skip = process.getuid?.() === 0 ? ec2Missing() : 'only root can become another user';

describe('the part of a balancer that keeps root’s rights', { skip }, () => {
  let ec2: Ec2StandIn;
  let apache: ModStatus;
  before(async () => {
    [ec2, apache] = await Promise.all([startEc2(), startModStatus(6)]);
  });
  after(() => Promise.all([ec2.stop(), apache.stop()]));

  test('is killed: the balancer ends with status 1 and keeps its slaves, and the next one takes them up', async t => {
    const master = createMaster(t, { ec2, name: 'crippled', statusUrl: apache.url });
    const balancer = master.start('--user', 'www-data');
    const slaves = await master.serving(2);
    const keeper = childrenOf(balancer.pid).find(pid => /keeper/.test(commandLineOf(pid)[0] ?? ''));
    assert.ok(keeper !== undefined, 'there is a keeper');
    process.kill(keeper, 'SIGKILL');

    assert.equal(await balancer.ended(), 1, balancer.stderr());
    assert.deepEqual((await master.serving(2)).map(it => it.id).sort(), slaves.map(it => it.id).sort());
    assert.equal((await master.account.calls('TerminateInstances')).length, 0);

    const next = master.start('--user', 'www-data');
    await until('the next one has taken them up', () => slaves.every(({ id }) => next.stderr().includes(id)));
    next.signal('SIGTERM');
    assert.equal(await next.ended(), 0, next.stderr());
    assert.equal((await master.account.calls('CreateFleet')).length, 1);
    assert.deepEqual(await master.account.remains(), []);
  });
});
