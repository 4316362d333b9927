import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Ec2StandIn, ec2Missing, startEc2 } from '../peers/ec2-stand-in.ts';
import { type ModStatus, startModStatus } from '../peers/mod-status.ts';
import { createMaster, until } from './world.ts';

describe('a budget', { skip: ec2Missing() }, () => {
  let ec2: Ec2StandIn;
  let apache: ModStatus;
  before(async () => {
    [ec2, apache] = await Promise.all([startEc2(), startModStatus(6)]);
  });
  after(() => Promise.all([ec2.stop(), apache.stop()]));

  test('that is used up releases every slave, over a new start too, until it is raised', async t => {
    const master = createMaster(t, { ec2, name: 'thrifty', statusUrl: apache.url });
    // Two slaves at some cents an hour are in service for seconds.
    master.configure({ budget: '0.001' });
    const first = master.start();
    await first.said(/the budget of \S+ for \d{4}-\d\d is used up/);
    await until('no slave is left', async () => (await master.account.state()).instances.length === 0);
    assert.deepEqual(master.farm(), []);
    assert.match(await master.done('status'), /budget/);
    first.signal('SIGKILL');
    await first.ended();

    const second = master.start();
    await second.said(/the budget of \S+ for \d{4}-\d\d is used up/);
    assert.equal((await master.account.state()).instances.length, 0);
    master.configure({ budget: '5' });
    second.signal('SIGHUP');
    await master.serving(2);
  });
});
