import './enter.ts';
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import path from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { PROGRAM, type Running, until } from '../e2e/world.ts';
import type { Ec2Instance } from '../peers/ec2-stand-in.ts';
import type { Visit } from './gbrowse/browser.ts';
import { CALM, CROWD, type Farm, startFarm } from './gbrowse/farm.ts';
import { type RunsAs, SLAVE_TIMEOUT_SECONDS, siteMissing } from './gbrowse/site.ts';
import { complaints, RESULT, SLOW, type Tally, table, tally } from './gbrowse/tally.ts';
import { cloudMissing } from './requirements.ts';

const skip = cloudMissing() || siteMissing();
const columns: { readonly name: RunsAs; readonly tallies: Tally[] }[] = [];

after(() => {
  if (columns.length === 0) return;
  mkdirSync(path.dirname(RESULT), { recursive: true });
  writeFileSync(RESULT, table(columns));
});

const SLAVE_PROCESSES = "pgrep -f '^/usr/bin/perl.*gbrowse_slave'";

for (const runsAs of ['CGI', 'FastCGI'] as const) {
  describe(`no track is wrong, late or missing because the farm changes, with GBrowse as ${runsAs}`, {
    skip,
  }, () => {
    const tallies: Tally[] = [];
    let farm: Farm;
    let balancer: Running;
    let begin = 0;
    let told = 0;

    before(async () => {
      assert.ok(existsSync(PROGRAM), `${PROGRAM} is not there: npm run build`);
      columns.push({ name: runsAs, tallies });
      farm = await startFarm(runsAs);
      farm.crowd(CALM);
      begin = Date.now();
    });
    after(async () => {
      await farm?.stop();
    });

    /** The pages that were begun since the last time, when all of them have come to an end. */
    async function lately(t: TestContext): Promise<readonly Visit[]> {
      const end = Date.now();
      await farm.audience.finished(end);
      const visits = farm.audience.visits.filter(it => it.startedAt >= begin && it.startedAt < end);
      begin = end;
      for (const complaint of complaints(visits)) t.diagnostic(complaint);
      const reasons = farm.site.reasons();
      for (const reason of reasons.slice(told)) t.diagnostic(reason);
      told = reasons.length;
      assert.ok(visits.length > 0);
      return visits;
    }

    /** Puts them into the table. */
    function count(t: TestContext, scenario: string, visits: readonly Visit[]): void {
      const counted = tally(scenario, visits);
      tallies.push(counted);
      t.diagnostic(JSON.stringify(counted));
    }

    function assertAllGood(visits: readonly Visit[]): void {
      assert.deepEqual(complaints(visits, late()), [], balancer.stderr());
    }

    async function pages(more: number): Promise<void> {
      const enough = farm.audience.visits.length + more;
      await until(`${more} more pages`, () => farm.audience.visits.length >= enough);
    }

    async function drawnByAll(slaves: readonly Ec2Instance[]): Promise<void> {
      await until('all slaves have drawn', async () => {
        const counts = await Promise.all(slaves.map(it => farm.drawn(it.id)));
        return counts.every(it => it > 0);
      });
    }

    test('the load rises: slaves boot and draw', async t => {
      await pages(2);
      balancer = farm.startBalancer();
      const first = await farm.serving(2);
      await drawnByAll(first.slaves);
      farm.crowd(CROWD);
      const { slaves } = await farm.serving(3);
      await drawnByAll(slaves);
      const visits = await lately(t);
      count(t, 'the load rises: from no slave to 2, to 3', visits);
      assertAllGood(visits);
    });

    test('the load falls: slaves drain and go', async t => {
      farm.crowd(CALM);
      await farm.serving(2);
      await until('the other is gone', async () => (await farm.instances()).length === 2);
      await pages(2);
      const visits = await lately(t);
      count(t, 'the load falls, to 2', visits);
      assertAllGood(visits);
    });

    test('EC2 takes a slave back', async t => {
      const {
        slaves: [slave],
      } = await farm.serving(2);
      assert.ok(slave !== undefined);
      await farm.cloud.interrupt(slave.id, 20);
      await until('there is another one', async () => {
        const { slaves } = await farm.serving(2);
        return slaves.every(it => it.id !== slave.id);
      });
      await until('it is gone', async () => (await farm.instances()).every(it => it.id !== slave.id));
      await pages(1);
      const visits = await lately(t);
      count(t, 'EC2 takes one of 2 slaves back, at 20 s notice', visits);
      assertAllGood(visits);
    });

    type Trouble = {
      readonly what: string;
      readonly strike: (id: string) => Promise<unknown>;
      /** Whether the slave works again by itself: its user-data starts it again. */
      readonly works?: (id: string) => Promise<boolean>;
      /** Ends the trouble; without it the balancer replaces the slave, three times slave_timeout after. */
      readonly recover?: (id: string) => Promise<unknown>;
    };
    const troubles: readonly Trouble[] = [
      {
        what: 'the slave process of one of 3 is killed',
        strike: id => farm.cloud.run(id, `kill -KILL $(${SLAVE_PROCESSES})`),
        works: id =>
          farm.cloud.run(id, SLAVE_PROCESSES).then(
            () => true,
            () => false,
          ),
      },
      {
        what: 'one of 3 slaves hangs',
        strike: id => farm.cloud.run(id, `kill -STOP $(${SLAVE_PROCESSES})`),
        // Once is enough to wait for a slave that is given up.
        ...(runsAs === 'FastCGI' && {
          recover: id => farm.cloud.run(id, `kill -CONT $(${SLAVE_PROCESSES})`),
        }),
      },
      {
        what: 'the network of one of 3 slaves goes dark',
        strike: id => farm.cloud.network(id, 'dark'),
        recover: id => farm.cloud.network(id, 'up'),
      },
    ];
    for (const { what, strike, works, recover } of troubles) {
      test(`${what}: at most what it was drawing is late, and nothing after it has left the farm`, async t => {
        farm.crowd(CROWD);
        const { slaves } = await farm.serving(3);
        await drawnByAll(slaves);
        const [victim] = slaves;
        assert.ok(victim !== undefined);
        await pages(1);
        assertAllGood(await lately(t));
        const { publicAddress } = await farm.cloud.host(victim.id);
        const struckAt = Date.now();
        await strike(victim.id);
        await until(
          'it has left the farm, or works again',
          async () => !farm.listed().includes(publicAddress ?? '') || (await works?.(victim.id)) === true,
        );
        const noticedAt = Date.now();
        t.diagnostic(`noticed after ${noticedAt - struckAt} ms`);
        if (recover !== undefined) {
          await pages(3);
          await recover(victim.id);
        }
        const { slaves: after } = await farm.serving(3);
        if (works === undefined)
          assert.equal(
            after.some(it => it.id === victim.id),
            recover !== undefined,
          );
        await pages(2);
        const visits = await lately(t);
        count(t, what, visits);
        assertAllGood(visits.filter(it => it.startedAt > noticedAt));
      });
    }

    test('the balancer is killed and started again, and restarted for an upgrade', async t => {
      await farm.serving(3);
      await until('the slave that was given up is gone', async () => (await farm.instances()).length === 3);
      const before = await idsOf(farm);
      balancer.signal('SIGKILL');
      await balancer.ended();
      await pages(2);
      balancer = farm.startBalancer();
      await balancer.said(/(found running slave.*\n.*){3}/);
      await pages(2);
      assert.equal(await farm.command('--kill', '--keep-slaves').ended(), 0);
      await balancer.ended();
      await pages(1);
      balancer = farm.startBalancer();
      await balancer.said(/(found running slave.*\n.*){3}/);
      await pages(2);
      assert.deepEqual(await idsOf(farm), before);
      const visits = await lately(t);
      count(t, 'the balancer is killed and started again, and upgraded', visits);
      assertAllGood(visits);
    });

    test('EC2 answers errors only', async t => {
      await farm.cloud
        .account('proof')
        .fault({ action: '.*', code: 'InternalError', status: 500, count: 1_000_000 });
      await sleep(5_000);
      farm.crowd(CALM);
      await pages(4);
      await farm.cloud.clearFaults();
      await farm.serving(2);
      const visits = await lately(t);
      count(t, 'EC2 answers only errors, while the load falls', visits);
      assertAllGood(visits);
    });

    test('Apache is restarted', async t => {
      await farm.site.apache.restart();
      await pages(3);
      const visits = await lately(t);
      count(t, 'Apache is restarted', visits);
      assertAllGood(visits);
    });
  });
}

async function idsOf(farm: Farm): Promise<string[]> {
  return (await farm.instances()).map(it => it.id).toSorted();
}

/**
 * From how many ms on a track is late. On a machine that is busy with other things pages take as long as they take; a
 * track that has waited for a slave in vain takes longer still.
 */
function late(): number {
  const [load = 0] = loadavg();
  return load > 2 * availableParallelism() ? SLAVE_TIMEOUT_SECONDS * 1000 : SLOW;
}
