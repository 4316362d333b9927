import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const PROMTOOL = '/usr/bin/promtool';
const PACKAGING = path.resolve(import.meta.dirname, '../../packaging/prometheus');
const RULES = readFileSync(path.join(PACKAGING, 'alerts.yml'), 'utf8');
const DASHBOARD = readFileSync(path.join(PACKAGING, 'grafana-dashboard.json'), 'utf8');

/** After so many minutes every alert whose condition holds has fired. */
const LONG = 1500;
/** Before this no alert fires, but for those that need no time. */
const SOON = 3;

export const hasPromtool = existsSync(PROMTOOL);

function promtool(words: readonly string[], input = ''): void {
  const { status, stdout, stderr } = spawnSync(PROMTOOL, words, { encoding: 'utf8', input });
  assert.equal(status, 0, stdout + stderr);
}

/** promtool finds nothing wrong with the text of a metrics file. */
export function assertMetrics(text: string): void {
  promtool(['check', 'metrics'], text);
}

/** Every series that the package's alert rules and dashboard ask for is in one of these metrics files. */
export function assertSeriesExist(files: readonly string[], master: string): void {
  const samples = files.flatMap(samplesOf);
  const asked = [RULES, DASHBOARD.replaceAll('\\"', '"').replaceAll('$master', master)].flatMap(text => [
    ...text.matchAll(/\b(gbrowse_aws_balancer_[a-z0-9_]+)(?:\{([^}]*)\})?/g),
  ]);
  assert.ok(asked.length > 20);
  for (const [selector, name = '', labels = ''] of asked) {
    const wanted = labels.split(',').filter(Boolean);
    const isThere = samples.some(
      ({ series }) => series.startsWith(`${name}{`) && wanted.every(label => series.includes(label)),
    );
    assert.ok(isThere, `${selector} is in no metrics file`);
  }
}

/** The samples of a metrics file. */
function samplesOf(text: string): readonly { readonly series: string; readonly value: string }[] {
  return text
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'))
    .map(line => {
      const at = line.lastIndexOf(' ');
      return { series: line.slice(0, at), value: line.slice(at + 1) };
    });
}

/**
 * With the content of a metrics file, written again every minute for a day, these alerts of the package's rules fire, not
 * at once, and none of the others does. An alert that there is no rule for is left out.
 */
export function assertAlerts(text: string, master: string, expected: readonly string[]): void {
  const severities = [...RULES.matchAll(/alert: (\w+)[\s\S]*?severity: (\w+)/g)];
  assert.ok(severities.length >= 8);
  const when = (eval_time: string, fires: (name: string) => boolean) =>
    severities.map(([, alertname = '', severity = '']) => ({
      eval_time,
      alertname,
      exp_alerts: fires(alertname) ? [{ exp_labels: { severity, master } }] : [],
    }));
  const input_series = samplesOf(text).map(({ series, value }) => ({
    series,
    values: series.startsWith('gbrowse_aws_balancer_last_update') ? `0+60x${LONG}` : `${value}+0x${LONG}`,
  }));
  const directory = mkdtempSync(path.join(tmpdir(), 'promtool-'));
  try {
    const [rules, tests] = ['rules.yml', 'tests.json'].map(it => path.join(directory, it));
    assert.ok(rules !== undefined && tests !== undefined);
    // What an alert says would be compared too.
    writeFileSync(rules, RULES.replaceAll(/\n {8}annotations:(\n {10}.*)+/g, ''));
    const test = {
      interval: '1m',
      input_series,
      alert_rule_test: [
        ...when(`${SOON}m`, () => false),
        ...when(`${LONG - 1}m`, name => expected.includes(name)),
      ],
    };
    // YAML is a superset of JSON.
    writeFileSync(tests, JSON.stringify({ rule_files: [rules], evaluation_interval: '1m', tests: [test] }));
    promtool(['test', 'rules', tests]);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
