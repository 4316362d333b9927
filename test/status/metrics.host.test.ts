import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { METRICS, metricsText } from '../../src/status/metrics.ts';
import { report, slave, troubled } from './fixtures/report.ts';

/** https://prometheus.io/docs/instrumenting/exposition_formats, version 0.0.4, as strictly as promtool reads it. */
const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\[\\\\"n])*"';
const VALUE = '(?:[+-]?\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?|NaN|[+-]Inf)';
const SAMPLE = new RegExp(`^(${NAME})\\{(${LABEL}(?:,${LABEL})*)\\} (${VALUE})$`);
const HELP = new RegExp(`^# HELP (${NAME}) ((?:[^\\\\\\n]|\\\\[\\\\n])+)$`);
const TYPE = new RegExp(`^# TYPE (${NAME}) (counter|gauge)$`);

type Sample = { readonly labels: Readonly<Record<string, string>>; readonly value: number };

/** Reads a text of metrics; each metric stands together, after its HELP and TYPE, and no sample comes twice. */
function parse(
  text: string,
): ReadonlyMap<string, { readonly type: string; readonly samples: readonly Sample[] }> {
  assert.ok(text.endsWith('\n'));
  const metrics = new Map<string, { type: string; samples: Sample[] }>();
  const seen = new Set<string>();
  let help: string | undefined;
  let current: string | undefined;
  for (const line of text.slice(0, -1).split('\n')) {
    if (line.startsWith('# HELP')) {
      help = HELP.exec(line)?.[1];
      assert.ok(help, line);
      assert.ok(!metrics.has(help), `${help} comes twice`);
    } else if (line.startsWith('# TYPE')) {
      const [, name, type = ''] = TYPE.exec(line) ?? [];
      assert.equal(name, help, line);
      current = help ?? '';
      assert.equal(type === 'counter', current.endsWith('_total'), `${current} is a ${type}`);
      metrics.set(current, { type, samples: [] });
    } else {
      const [, name, labels = '', value] = SAMPLE.exec(line) ?? [];
      assert.ok(name !== undefined && name === current, line);
      assert.ok(!seen.has(`${name}{${labels}`), `${line} comes twice`);
      seen.add(`${name}{${labels}`);
      const pairs = [...labels.matchAll(new RegExp(LABEL, 'g'))].map(([pair]) => {
        const [, label = '', quoted = ''] = /^([^=]*)="(.*)"$/s.exec(pair) ?? [];
        return [label, quoted.replaceAll(/\\(.)/gs, (_, it: string) => (it === 'n' ? '\n' : it))] as const;
      });
      assert.equal(new Set(pairs.map(([label]) => label)).size, pairs.length, line);
      metrics.get(name)?.samples.push({ labels: Object.fromEntries(pairs), value: Number(value) });
    }
  }
  return metrics;
}

test('the text is what the format says, and each metric has a sample', () => {
  for (const it of [report([]), report([slave(0), slave(1, { priceIsKnown: false })]), troubled()]) {
    for (const [name, { samples }] of parse(metricsText(it))) {
      assert.match(name, /^gbrowse_aws_balancer_/);
      assert.ok(samples.length > 0, name);
      for (const { labels, value } of samples) {
        assert.equal(labels.master, 'web1');
        assert.ok(Number.isFinite(value), name);
      }
    }
  }
});

test('the numbers are those of the report', () => {
  const base = troubled();
  const drawn = [
    { lastRenderAt: '2026-11-22T12:00:00.000Z' },
    {},
    { lastRenderAt: '2026-11-22T12:10:00.000Z' },
  ];
  const given = {
    ...base,
    slaves: base.slaves.map((it, at) => ({ ...it, ...drawn[at] })),
    launches: { ...base.launches, noSpotSince: '2026-11-22T12:11:00.000Z' },
  };
  const metrics = parse(metricsText(given));
  const valuesOf = (name: string, labels: object = {}) =>
    metrics
      .get(`gbrowse_aws_balancer_${name}`)
      ?.samples.filter(it => Object.entries(labels).every(([label, value]) => it.labels[label] === value))
      .map(it => it.value);
  assert.deepEqual(valuesOf('load_requests_per_second'), [3.42]);
  assert.deepEqual(valuesOf('load_known'), [0]);
  assert.deepEqual(valuesOf('wanted_slaves_max'), [5]);
  assert.deepEqual(valuesOf('slaves', { state: 'not_answering' }), [1]);
  assert.deepEqual(valuesOf('slaves', { state: 'serving' }), [0]);
  assert.deepEqual(
    valuesOf('slaves')?.reduce((sum, it) => sum + it, 0),
    3,
  );
  assert.deepEqual(valuesOf('launches_held'), [1]);
  assert.deepEqual(valuesOf('ec2_errors_total', { action: 'DescribeInstances' }), [5]);
  assert.deepEqual(valuesOf('log_messages_total', { level: 'warn' }), [3]);
  assert.deepEqual(valuesOf('spent_dollars_total'), [4.531]);
  assert.deepEqual(valuesOf('last_update_timestamp_seconds'), [Date.parse(given.time) / 1000]);
  assert.deepEqual(valuesOf('overloaded'), [1]);
  assert.deepEqual(valuesOf('kept_slaves'), [0]);
  assert.deepEqual(valuesOf('boot_time_seconds'), [71.4]);
  assert.deepEqual(valuesOf('overloaded_since_timestamp_seconds'), [Date.parse(given.time) / 1000 - 90]);
  assert.deepEqual(valuesOf('last_render_timestamp_seconds'), [Date.UTC(2026, 10, 22, 12, 10) / 1000]);
  assert.deepEqual(valuesOf('no_spot_since_timestamp_seconds'), [Date.UTC(2026, 10, 22, 12, 11) / 1000]);
  assert.deepEqual(valuesOf('notify_open_troubles'), [2]);
  assert.deepEqual(valuesOf('notify_failed'), [1]);
  assert.equal(metrics.size, METRICS.length);
});

test('what is not known has no sample, and no metric', () => {
  const base = report([]);
  const text = metricsText({ ...base, wanted: null, load: { ...base.load, requestsPerSecond: null } });
  assert.deepEqual(
    ['wanted_slaves_min', 'load_requests_per_second'].map(name => text.includes(name)),
    [false, false],
  );
  parse(text);
});

test('a master may have any name', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), master => {
      const base = report([]);
      const metrics = parse(metricsText({ ...base, balancer: { ...base.balancer, master } }));
      assert.equal(metrics.get('gbrowse_aws_balancer_up')?.samples[0]?.labels.master, master);
    }),
  );
});

const promtool = spawnSync('promtool', ['--version']).error === undefined;

test('promtool, which knows the conventions too, has nothing to say', {
  skip: promtool ? false : 'promtool is not installed',
}, () => {
  for (const it of [report([]), troubled()]) {
    const { status, stderr, stdout } = spawnSync('promtool', ['check', 'metrics'], {
      input: metricsText(it),
      encoding: 'utf8',
    });
    assert.equal(stdout + stderr, '');
    assert.equal(status, 0);
  }
});
