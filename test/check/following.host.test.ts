import assert from 'node:assert/strict';
import { chmodSync, cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { followingFindings, installedFinding, keepingFindings } from '../../src/check/topics/following.ts';
import { withLive } from '../../src/farm/live.ts';
import { askGBrowse, parseAnswer } from '../../src/gbrowse/ask.ts';
import { directory as makeDirectory } from '../daemon/fixtures/run.ts';

const [A, LIST] = ['http://10.0.0.5:8101', '/var/lib/gbrowse-aws-balancer/farm/slaves'];
const skip = existsSync('/usr/share/perl5/Bio/Graphics/Browser2.pm') ? false : 'GBrowse is not installed';
const isRoot = process.geteuid?.() === 0;

test('check says what is wrong with the lines in the farm file, and the command that writes them', () => {
  const live = withLive('[GENERAL]\n', LIST);
  assert.equal(installedFinding(live, 'F', LIST), undefined);
  for (const [text, message] of [
    ['[GENERAL]\nrenderfarm = 1\n', /F does not have GBrowse follow the list/],
    [live.replace('package GBrowseAwsBalancer', 'package Other'), /of another version/],
    [withLive('', '/other'), /follow the list \/other, and \[MASTER\] farm_list is \/var/],
  ] as const) {
    const finding = installedFinding(text, 'F', LIST);
    assert.equal(finding?.verdict, 'problem');
    assert.match(finding?.message ?? '', message);
    assert.match(finding?.fix ?? '', /^ {4}gbrowse-aws-balancer farm --install$/m);
  }
});

test('check asks GBrowse’s own modules, as Apache’s user, whether the lines took', {
  skip,
  timeout: 120_000,
}, async t => {
  const here = makeDirectory(t);
  chmodSync(here, 0o755);
  const [conf, list] = [path.join(here, 'conf'), path.join(here, 'slaves')];
  cpSync('/etc/gbrowse', conf, { recursive: true });
  const master = path.join(conf, 'GBrowse.conf');
  writeFileSync(master, readFileSync(master, 'utf8').replace(/^(config_base\s*=).*/m, `$1 ${conf}`));
  const file = path.join(conf, 'renderfarm.conf');
  const ask = () => askGBrowse(master, { list, timeLimit: 60_000 });

  writeFileSync(file, '[GENERAL]\nrenderfarm = 0\n');
  const before = await ask();
  assert.deepEqual(
    followingFindings(before, list).map(it => it.verdict),
    ['problem'],
  );
  assert.ok(typeof before === 'object');
  const isBroken = before.refusal.installed !== '';
  assert.equal(before.refusal.configured, before.refusal.installed);
  assert.equal(keepingFindings(before, file).length, isBroken ? 1 : 0);

  writeFileSync(file, withLive('[GENERAL]\nrenderfarm = 0\n', list));
  assert.match(
    followingFindings(await ask(), list)[0]?.message ?? '',
    /^GBrowse follows .*: no slave now\.$/,
  );
  writeFileSync(list, `${A}\n`);
  const found = followingFindings(await ask(), list);
  assert.match(found[0]?.message ?? '', /^GBrowse follows .*: 1 now\.$/);
  assert.equal(/repaired/.test(found[1]?.message ?? ''), isBroken);
  assert.ok(found.every(it => it.verdict === 'ok'));
  if (!isRoot) return;
  chmodSync(list, 0o600);
  assert.match(
    followingFindings(await ask(), list)[0]?.message ?? '',
    /cannot read the list.*Permission denied/,
  );
});

test('what says nothing of GBrowse is no finding about it', () => {
  for (const line of [
    '',
    'Segmentation fault',
    '[]',
    '{"missing":"no Bio::Graphics"}',
    '{"error":"line 3"}',
  ]) {
    const answer = parseAnswer(line);
    assert.equal(followingFindings(answer, LIST)[0]?.verdict, 'skipped', line);
    assert.equal(keepingFindings(answer, LIST)[0]?.verdict, 'skipped', line);
  }
});
