import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { createProbe } from '../../src/farm/probe.ts';
import type { SlaveFigures } from '../../src/farm/slave-figures.ts';
import { SLAVE_TOKEN, userData } from '../../src/spot/user-data.ts';
import { filesOf } from '../gbrowse/directory.ts';
import { slaveMissing, startSlave } from '../gbrowse/real-slave.ts';
import { until } from '../peers/until.ts';

/** Runs functions of the slave's script with another directory in the place of its own. */
function callIn(directory: string, call: string): string {
  const script = userData({ ports: [8101], orphanTimeout: 3_600_000 })
    .replaceAll('/run/gbrowse-aws-balancer', directory)
    .replace(/^case \$\{1-\} in[\s\S]*/m, call);
  const file = path.join(directory, 'script');
  writeFileSync(file, script);
  return execFileSync('sh', [file], { encoding: 'utf8' });
}

const withModule = (directory: string) => ({ PERL5OPT: `-I${directory} -MGBrowseAwsBalancerSlave` });

test('a slave says with its answer to a probe what its script has noted, and how long it has been up', {
  skip: slaveMissing(),
}, async t => {
  const directory = filesOf(t, {});
  assert.equal(callIn(directory, 'write_module && told renders'), '0\n');
  callIn(directory, 'tell kernel=1.50 renders=0 listening=9.25; tell renders=7 drawn=60.5');
  assert.equal(callIn(directory, 'told renders; told kernel'), '7\n1.50\n');
  const slave = await startSlave(t, directory, 3, { env: withModule(directory) });
  const heard: SlaveFigures[] = [];
  const probe = createProbe(10_000, (_, figures) => heard.push(figures));
  assert.equal(await probe('127.0.0.1', [slave.port]), 'answered');
  const [first] = heard;
  assert.ok(first !== undefined && first.uptime > 0);
  const { uptime: _, ...told } = first;
  assert.deepEqual(told, { phases: { kernel: 1.5, listening: 9.25 }, renders: 7, lastRender: 60.5 });

  // What is no figure is not said.
  writeFileSync(path.join(directory, 'figures'), 'renders=8 \r\nX-Evil: 1');
  await probe('127.0.0.1', [slave.port]);
  assert.equal(heard.at(-1)?.renders, 8);
  const answer = await fetch(`${slave.url}/?data_name=${SLAVE_TOKEN}`);
  assert.deepEqual([answer.status, answer.headers.get('x-evil')], [400, null]);
  assert.equal(await answer.text(), 'invalid request');
});

test("a slave that an old image's script starts logs what it answers, and answers while it draws", {
  skip: slaveMissing(),
}, async t => {
  const directory = filesOf(t, {});
  callIn(directory, 'write_module');
  const env = { ...withModule(directory), GBROWSE_SLAVE_PROCESSES: '3' };
  const slave = await startSlave(t, directory, 1, { env, verbosity: 1 });
  assert.equal((await fetch(`${slave.url}/?data_name=${SLAVE_TOKEN}`)).status, 400);
  await until('it has logged the answer', () => slave.log().includes('operation=invalid; response=400'));
  assert.equal(slave.log().match(/preforked pid/g)?.length, 3);
});
