import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Ec2StandIn, ec2Missing, startEc2 } from '../peers/ec2-stand-in.ts';
import { type ModStatus, startModStatus } from '../peers/mod-status.ts';
import { createMaster, until } from './world.ts';

const textOf = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8') : '');

describe('the history of a balancer', { skip: ec2Missing() }, () => {
  let ec2: Ec2StandIn;
  let apache: ModStatus;
  before(async () => {
    [ec2, apache] = await Promise.all([startEc2(), startModStatus(6)]);
  });
  after(() => Promise.all([ec2.stop(), apache.stop()]));

  test('is there after its end, as text, JSON and CSV; while it runs there are metrics and a page', async t => {
    const master = createMaster(t, { ec2, name: 'history', statusUrl: apache.url });
    const early = master.run(['report', '--conf', master.confFile]);
    assert.equal(await early.ended(), 1);
    assert.match(early.stderr(), /no state directory/);

    const [metrics, page] = ['balancer.prom', 'index.html'].map(it => path.join(master.directory, it));
    assert.ok(metrics !== undefined && page !== undefined);
    const balancer = master.start('--metrics-file', metrics, '--status-page', page);
    await master.serving(2);
    await until('the page shows the slaves', () => /2 serving/.test(textOf(page)));
    assert.match(textOf(page), /<svg[\s\S]*What it does, and why/);
    if (existsSync('/usr/bin/promtool')) {
      const checked = spawnSync('/usr/bin/promtool', ['check', 'metrics'], {
        input: textOf(metrics),
        encoding: 'utf8',
      });
      assert.equal(checked.status, 0, checked.stderr);
    }
    balancer.signal('SIGTERM');
    assert.equal(await balancer.ended(), 0);
    assert.deepEqual([existsSync(metrics), existsSync(page)], [false, false]);

    const { days, total, simulated } = JSON.parse(await master.done('report', '--json'));
    assert.equal(total.launches, 2);
    assert.ok(total.dollars > 0 && total.requests > 0, JSON.stringify(total));
    assert.ok(simulated.requests > 0, JSON.stringify(simulated));
    const csv = (await master.done('report', '--csv')).trim().split('\n');
    assert.equal(csv.length, days.length + 1);
    assert.match(csv[0] ?? '', /^day,watchedHours,dollars,/);
    assert.match(await master.done('report'), /^DAY \(UTC\).*\n20.*\n[\s\S]*^total .*\n^simulated /m);
    const since = await master.done('status', '--since', '1h');
    assert.match(since, /^Load .* requests\/s on average/m);
    assert.match(since, /2 launches, 0 interruptions/);
    assert.match(since, /stopped: no slave is left|launched i-/);
    const other = master.run(['report', '--month', '2020-01', '--conf', master.confFile]);
    assert.equal(await other.ended(), 1);
    assert.match(other.stderr(), /the history has nothing in 2020-01; it begins on 20/);
  });
});
