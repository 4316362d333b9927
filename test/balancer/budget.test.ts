import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { accountIn } from '../../src/balancer/spending.ts';
import { HOUR, MINUTE } from '../../src/clock.ts';
import { SYNC_TAG } from '../../src/spot/tags.ts';
import { DEFAULT_EC2_SETTINGS } from '../fake-aws/ec2/settings.ts';
import { createWorld } from './world.ts';

const TABLE = [[1, 2, 2]] as const;
/** Two slaves at the bid of $0.1 spend this in an hour. */
const HOURLY = 0.2;
const DATA = 'snap-0123456789abcdef0';

describe('a budget', () => {
  it('warns at 80 %, releases every slave at 100 %, and launches none', async () => {
    const world = createWorld({ table: TABLE, load: 5, slave: { spotBid: 0.1, budget: HOURLY } });
    world.start();
    await world.run(45 * MINUTE);
    assert.equal(world.live().length, 2);
    await world.run(30 * MINUTE);
    assert.equal(world.live().length, 0);
    assert.deepEqual(world.farm.urls(), []);
    const lines = world.log.text().split('\n');
    assert.equal(lines.filter(it => /of the budget of \$0.20 for .* are spent/.test(it)).length, 1);
    assert.equal(lines.filter(it => /the budget of \$0.20 .* is used up/.test(it)).length, 1);
    const launched = lines.filter(it => /\blaunched i-/.test(it)).length;
    await world.run(3 * HOUR);
    assert.equal(
      world.log
        .text()
        .split('\n')
        .filter(it => /\blaunched i-/.test(it)).length,
      launched,
    );
    assert.ok((accountIn(world.balancer.state)?.spentAtMost ?? 0) < HOURLY * 1.1);
  });

  it('holds during a pause that keeps the slaves', async () => {
    const world = createWorld({ table: TABLE, load: 5, slave: { spotBid: 0.1, budget: HOURLY } });
    world.start();
    await world.run(10 * MINUTE);
    world.balancer.pause({ since: 0, release: false });
    await world.run(30 * MINUTE);
    assert.equal(world.live().length, 2);
    await world.run(HOUR);
    assert.equal(world.live().length, 0);
  });

  it('that is used up stays so over a restart', async () => {
    const world = createWorld({ table: TABLE, load: 5, slave: { spotBid: 0.1, budget: HOURLY } });
    world.start();
    await world.run(75 * MINUTE);
    world.restart();
    await world.run(HOUR);
    assert.equal(world.live().length, 0);
  });

  it('goes on when it is raised, and with a new month', async () => {
    const slave = { spotBid: 0.1, budget: HOURLY };
    const startsAt = Date.UTC(2026, 0, 31, 12);
    const world = createWorld({ table: TABLE, load: 5, slave, startsAt });
    world.start();
    await world.run(75 * MINUTE);
    world.balancer.reconfigure(world.configOf({ slave: { ...slave, budget: 2 * HOURLY } }));
    await world.run(10 * MINUTE);
    assert.equal(world.live().length, 2);
    await world.run(2 * HOUR);
    assert.equal(world.live().length, 0);
    await world.run(9 * HOUR);
    const months = Object.keys(world.balancer.state.spending?.ledger.months ?? {});
    assert.equal(months.length, 2);
  });

  it('counts a slave that lived while the balancer was dead', async () => {
    const world = createWorld({ table: TABLE, load: 5, slave: { spotBid: 0.1, budget: 10 } });
    world.start();
    await world.run(30 * MINUTE);
    world.kill();
    await world.run(2 * HOUR);
    world.start();
    await world.run(MINUTE);
    const spent = accountIn(world.balancer.state)?.spent ?? 0;
    assert.ok(spent > 2.4 * HOURLY && spent < 2.7 * HOURLY, `${spent}`);
  });

  it('counts slaves that ended by themselves while the balancer was dead, and that EC2 does not show any more', async () => {
    const slave = { spotBid: 0.1, budget: 10, orphanTimeout: HOUR };
    const world = createWorld({ table: TABLE, load: 5, slave });
    world.start();
    await world.run(30 * MINUTE);
    world.kill();
    for (const { id } of world.live()) world.cloud.powerOff(id);
    await world.run(3 * HOUR);
    world.start();
    await world.run(MINUTE);
    const spent = accountIn(world.balancer.state)?.spent ?? 0;
    assert.ok(spent > 1.4 * HOURLY && spent < 1.7 * HOURLY, `${spent}`);
  });

  it('counts no slave again that it has ended itself', async () => {
    const world = createWorld({ table: TABLE, load: 5, slave: { spotBid: 0.1, budget: 10 } });
    world.start();
    await world.run(30 * MINUTE);
    world.balancer.stop();
    await world.run(3 * HOUR);
    world.start();
    world.balancer.pause({ since: 0, release: false });
    await world.run(MINUTE);
    const spent = accountIn(world.balancer.state)?.spent ?? 0;
    assert.ok(spent > 0.4 * HOURLY && spent < 0.7 * HOURLY, `${spent}`);
  });

  it('counts the slaves that it finds where its clock was set back', async () => {
    const world = createWorld({ table: TABLE, load: 5, slave: { spotBid: 0.1, budget: 10 } });
    world.start();
    await world.run(MINUTE);
    world.clock.stepWall(-24 * HOUR);
    await world.run(30 * MINUTE);
    world.kill();
    await world.run(2 * HOUR);
    world.start();
    await world.run(MINUTE);
    const { months = {} } = world.balancer.state.spending?.ledger ?? {};
    const spent = Object.values(months).reduce((sum, it) => sum + it, 0);
    assert.ok(spent > 2.4 * HOURLY && spent < 2.7 * HOURLY, `${spent}`);
  });

  it('counts again from what EC2 shows where the state file is damaged, and says so', async () => {
    const world = createWorld({ table: TABLE, load: 5, slave: { spotBid: 0.1, budget: 10 } });
    world.start();
    await world.run(2 * HOUR);
    world.restart({ spent: { kind: 'unusable', why: 'it is incomplete or damaged' } });
    await world.run(MINUTE);
    const spent = accountIn(world.balancer.state)?.spent ?? 0;
    assert.ok(spent > 1.9 * HOURLY && spent < 2.1 * HOURLY, `${spent}`);
    assert.ok(world.log.text().includes('/state/budget cannot be used, because it is incomplete'));
  });

  it('is used up earlier with the volumes of data snapshots, which count from the first hour and over a restart', async () => {
    const slave = { spotBid: 0.1, budget: HOURLY, dataSnapshots: [DATA] };
    // 912.5 GiB of gp3 cost as much as the slave at its bid.
    const ec2 = { snapshots: { ...DEFAULT_EC2_SETTINGS.snapshots, [DATA]: 912 } };
    const world = createWorld({ table: TABLE, load: 5, slave, ec2 });
    world.start();
    await world.run(20 * MINUTE);
    assert.equal(world.live().length, 2);
    const spent = accountIn(world.balancer.state)?.spent ?? 0;
    assert.ok(spent > 0.6 * HOURLY && spent < 0.7 * HOURLY, `${spent}`);
    world.kill();
    await world.run(5 * MINUTE);
    world.start();
    await world.run(8 * MINUTE);
    assert.equal(world.live().length, 0);
  });

  it('counts volumes that it could not know when it found the slaves', async () => {
    const slave = { spotBid: 0.1, budget: 10, dataSnapshots: [DATA] };
    const ec2 = { snapshots: { ...DEFAULT_EC2_SETTINGS.snapshots, [DATA]: 912 } };
    const world = createWorld({ table: TABLE, load: 5, slave, ec2 });
    world.start();
    await world.run(HOUR);
    world.restart({ spent: { kind: 'unusable', why: 'it is incomplete or damaged' } });
    await world.run(5 * MINUTE);
    const spent = accountIn(world.balancer.state)?.spent ?? 0;
    assert.ok(spent > 2 * HOURLY && spent < 2.3 * HOURLY, `${spent}`);
  });

  it('counts the slaves alone, and says so once, where EC2 does not tell the size of their data', async () => {
    const slave = { spotBid: 0.1, budget: 10, dataSnapshots: [DATA] };
    const world = createWorld({ table: TABLE, load: 5, slave });
    world.cloud.faults.add({ action: 'DescribeSnapshots', code: 'UnauthorizedOperation' });
    world.start();
    await world.run(3 * HOUR);
    const spent = accountIn(world.balancer.state)?.spent ?? 0;
    assert.ok(spent > 2.9 * HOURLY && spent < 3.01 * HOURLY, `${spent}`);
    assert.equal(world.log.count(/the volumes of new slaves are not in the budget/), 1);
  });

  it('counts the staging instance of sync, which is no slave, while it runs', async () => {
    const world = createWorld({ table: [[1, 1, 1]], load: 5, slave: { spotBid: 0.1, budget: 10 } });
    world.start();
    await world.run(2 * MINUTE);
    // The simulated EC2 has no RunInstances; the tag of a run is what makes the difference.
    const Resources = world.live().map(it => it.id);
    assert.equal(Resources.length, 1);
    const tagging = world.cloud.ec2('CreateTags', { Resources, Tags: [{ Key: SYNC_TAG, Value: 'a run' }] });
    await world.run(MINUTE);
    await tagging;
    world.balancer.reconfigure(world.configOf({ table: [[99, 1, 1]] }));
    await world.run(20 * MINUTE);
    assert.equal(world.balancer.state.members.size, 0);
    const spent = () => accountIn(world.balancer.state)?.spent ?? 0;
    const before = spent();
    await world.run(HOUR);
    const hour = spent() - before;
    assert.ok(hour > 0.095 && hour < 0.097, `${hour}`);
    const ending = world.cloud.ec2('TerminateInstances', { InstanceIds: Resources });
    await world.run(10 * MINUTE);
    await ending;
    const ended = spent();
    await world.run(HOUR);
    assert.equal(spent(), ended);
  });
});
