import assert from 'node:assert/strict';
import { test } from 'node:test';
import { containerFinding } from '../../src/check/topics/gbrowse.ts';

const SEEN = {
  pid: 7,
  runsAs: 'FastCGI',
  farmFile: '/srv/gb/renderfarm.conf',
  place: 'x.conf:9',
  isTold: false,
};

test('a GBrowse in a container that has the farm file at another path is never told of it: a warning with the option', () => {
  const [finding] = containerFinding({ ...SEEN, seen: '/etc/gbrowse2/renderfarm.conf' });
  assert.equal(finding?.verdict, 'warning');
  assert.match(
    finding?.message ?? '',
    /pid 7, FastCGI.*\/srv\/gb\/renderfarm\.conf at \/etc\/gbrowse2\/renderfarm\.conf/,
  );
  assert.match(finding?.fix ?? '', /x\.conf:9.*\n {4}reload_command = docker exec/);
});

test('with a reload_command of its own it is told', () => {
  const [finding] = containerFinding({ ...SEEN, seen: '/etc/gbrowse2/renderfarm.conf', isTold: true });
  assert.equal(finding?.verdict, 'ok');
});

test('one that does not see the file at all draws without slaves: a warning', () => {
  const [finding] = containerFinding({ ...SEEN, seen: undefined });
  assert.equal(finding?.verdict, 'warning');
  assert.match(finding?.message ?? '', /does not see \/srv\/gb\/renderfarm\.conf: no slave draws for it/);
});
