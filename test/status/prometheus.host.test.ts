import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { METRICS, metricsText } from '../../src/status/metrics.ts';
import type { Report } from '../../src/status/report.ts';
import { directory } from '../daemon/fixtures/run.ts';
import { report, slave } from './fixtures/report.ts';

const PROMTOOL = '/usr/bin/promtool';
const skip = existsSync(PROMTOOL) ? false : 'promtool is not installed (Debian package prometheus)';
const packaging = path.resolve(import.meta.dirname, '../../packaging/prometheus');
const RULES = path.join(packaging, 'alerts.yml');

const good = report([slave(0), slave(1)]);
const held = { ...good.launches, heldUntil: good.time, reason: 'x' };
const retries = [{ what: 'x', failuresInARow: 3, nextAttemptAt: good.time }];
const pause = { since: good.time, until: null, releasesSlaves: false };
const nearly = { month: '2026-11', dollars: 32, dollarsAtMost: 32, budget: 40, isUsedUp: false };
const failed = { time: good.time, topic: 'load', event: 'trouble', isFailed: true };
const few = { minSlaves: 3, maxSlaves: 5, rowRequestsPerSecond: 3 };

/** Each alert, the report that it is about, and after how many minutes it fires (and not a minute or more before). */
const ALERTS: readonly (readonly [name: string, bad: Report | undefined, minutes: number])[] = [
  ['GBrowseBalancerDown', undefined, 5],
  ['GBrowseLoadUnknown', { ...good, load: { ...good.load, isCurrent: false } }, 10],
  ['GBrowseOverloaded', { ...good, load: { ...good.load, overloadedSince: good.time } }, 15],
  ['GBrowseTooFewSlaves', { ...good, wanted: few }, 15],
  ['GBrowseLaunchesHeld', { ...good, launches: held }, 10],
  ['GBrowseTasksFail', { ...good, retries }, 15],
  ['GBrowseBudgetNearlySpent', { ...good, money: { ...good.money, month: nearly } }, 5],
  ['GBrowseNotifyFails', { ...good, notify: { last: failed, openTopics: [] } }, 5],
  ['GBrowsePausedForLong', { ...good, pause }, 24 * 60],
];

/** The samples of a report as series that stay as they are; the time of the metrics goes on, or stands still. */
function series(made: Report, isStale = false): readonly unknown[] {
  return metricsText(made)
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'))
    .map(line => {
      const at = line.lastIndexOf(' ');
      const name = line.slice(0, at);
      const isTime = name.startsWith('gbrowse_aws_balancer_last_update_timestamp_seconds');
      const values = isTime ? `0+${isStale ? 0 : 60}x1500` : `${line.slice(at + 1)}+0x1500`;
      return { series: name, values };
    });
}

function expectAlert(alertname: string, minutes: number, fires: boolean, severities: readonly string[]) {
  return severities.map(severity => ({
    eval_time: `${minutes}m`,
    alertname,
    exp_alerts: fires
      ? [{ exp_labels: { severity, ...(alertname === 'GBrowseBalancerDown' ? {} : { master: 'web1' }) } }]
      : [],
  }));
}

test('the rules are rules, and use metrics that there are, as the dashboard does', { skip }, () => {
  const { status, stdout, stderr } = spawnSync(PROMTOOL, ['check', 'rules', RULES], { encoding: 'utf8' });
  assert.equal(status, 0, stdout + stderr);
  const names = new Set(METRICS.map(({ name }) => `gbrowse_aws_balancer_${name}`));
  for (const file of [RULES, path.join(packaging, 'grafana-dashboard.json')])
    for (const [name] of readFileSync(file, 'utf8').matchAll(/gbrowse_aws_balancer_\w+/g))
      assert.ok(names.has(name), name);
  JSON.parse(readFileSync(path.join(packaging, 'grafana-dashboard.json'), 'utf8'));
});

test('promtool finds nothing wrong with the metrics', { skip }, () => {
  const { status, stderr } = spawnSync(PROMTOOL, ['check', 'metrics'], {
    encoding: 'utf8',
    input: metricsText(good),
  });
  assert.equal(status, 0, stderr);
});

test('each alert fires in its trouble, after its time and not before, and none when all is well', {
  skip,
}, t => {
  const text = readFileSync(RULES, 'utf8');
  const all = [...text.matchAll(/alert: (\w+)[\s\S]*?severity: (\w+)/g)].map(
    ([, name = '', severity = '']) => ({ name, severity }),
  );
  assert.deepEqual(
    all.map(it => it.name).toSorted(),
    [...ALERTS.map(([name]) => name), 'GBrowseBalancerStale'].toSorted(),
  );
  const severityOf = (name: string) => all.filter(it => it.name === name).map(it => it.severity);
  const file = path.join(directory(t), 'test.json');
  const tests = [
    {
      input_series: series(good),
      alert_rule_test: all.flatMap(({ name }) => expectAlert(name, 1460, false, severityOf(name))),
    },
    {
      input_series: series(good, true),
      alert_rule_test: [
        ...expectAlert('GBrowseBalancerStale', 14, false, severityOf('GBrowseBalancerStale')),
        ...expectAlert('GBrowseBalancerStale', 17, true, severityOf('GBrowseBalancerStale')),
      ],
    },
    ...ALERTS.map(([name, bad, minutes]) => ({
      input_series: bad === undefined ? [] : series(bad),
      alert_rule_test: [
        ...expectAlert(name, minutes - 1, false, severityOf(name)),
        ...expectAlert(name, minutes + 1, true, severityOf(name)),
      ],
    })),
  ].map(it => ({ interval: '1m', ...it }));
  // YAML is a superset of JSON. What an alert says is compared too, so only labels are asked for.
  const plain = path.join(path.dirname(file), 'rules.yml');
  writeFileSync(plain, text.replaceAll(/\n {8}annotations:(\n {10}.*)+/g, ''));
  writeFileSync(file, JSON.stringify({ rule_files: [plain], evaluation_interval: '1m', tests }));
  const { status, stdout, stderr } = spawnSync(PROMTOOL, ['test', 'rules', file], { encoding: 'utf8' });
  assert.equal(status, 0, stdout + stderr);
});
