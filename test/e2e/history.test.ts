import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Ec2StandIn, ec2Missing, startEc2 } from '../peers/ec2-stand-in.ts';
import { type ModStatus, startModStatus } from '../peers/mod-status.ts';
import { assertAlerts, assertMetrics, assertSeriesExist, hasPromtool } from './promtool.ts';
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

  test('gives what the alert rules and the dashboard ask for, and the alerts fire in the trouble that they are about', {
    skip: hasPromtool ? false : 'promtool is not installed (Debian package prometheus)',
  }, async t => {
    const name = 'alarming';
    const master = createMaster(t, {
      ec2,
      name,
      statusUrl: apache.url,
      options: { budget: '5', notify: 'exit 1' },
    });
    const file = path.join(master.directory, 'balancer.prom');
    const balancer = master.start('--metrics-file', file);
    const metrics = (...lines: readonly string[]) =>
      until(`the metrics say ${lines.join(', ')}`, () => {
        const text = textOf(file);
        const has = (line: string) => new RegExp(`^gbrowse_aws_balancer_${line}$`, 'm').test(text);
        return lines.every(has) ? text : undefined;
      });
    const labels = `\\{master="${name}"\\}`;
    const value = (metric: string, number: number) => `${metric}${labels} ${number}`;
    const serving = (count: number) => `slaves\\{master="${name}",state="serving"\\} ${count}`;

    const well = await metrics(serving(2), value('load_known', 1), value('retrying_tasks', 0));
    assertMetrics(well);
    assertAlerts(well, name, []);
    await master.done('pause');
    assertAlerts(await metrics(value('paused', 1)), name, ['GBrowsePausedForLong']);
    await master.done('resume');
    master.configure({ budget: '0.000001' });
    balancer.signal('SIGHUP');
    // The command fails.
    const spent = await metrics(
      value('budget_used_up', 1),
      value('paused', 0),
      serving(0),
      value('notify_failed', 1),
      value('load_known', 1),
    );
    const broke = ['GBrowseTooFewSlaves', 'GBrowseBudgetNearlySpent', 'GBrowseNotifyFails'];
    assertAlerts(spent, name, broke);
    master.configure({ server_status_url: 'http://127.0.0.1:1/server-status' });
    balancer.signal('SIGHUP');
    const blind = await metrics(value('load_known', 0));
    assertMetrics(blind);
    assertAlerts(blind, name, ['GBrowseLoadUnknown', ...broke]);
    assertSeriesExist([well, blind], name);
  });
});
