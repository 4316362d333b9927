import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import { ec2Missing } from '../peers/ec2-stand-in.ts';
import { type Cloud, SECRET, startCloud } from './fixtures/cloud.ts';
import { type Machine, startMachine } from './fixtures/machine.ts';
import { bring, ourPackage, removePackages } from './fixtures/packages.ts';
import { rootsMissing } from './fixtures/roots.ts';
import { atTerminal, CTRL_C, CTRL_U, ENTER, type Terminal } from './fixtures/terminal.ts';

const CONF = '/etc/gbrowse2/aws_balancer.conf';
const DEFAULTS = '/etc/default/gbrowse-aws-balancer';

describe('setup at a terminal', { skip: rootsMissing() || ec2Missing() }, () => {
  const ends: (() => unknown)[] = [];
  let machine: Machine;
  let cloud: Cloud;
  before(async () => {
    const scope = { after: (end: () => unknown) => void ends.push(end) };
    machine = await startMachine(scope, { root: 'service' });
    cloud = await startCloud(scope, machine);
    machine.write('/etc/hosts', '127.0.0.1 localhost packaging\n');
    machine.write('/sbin/runlevel', '#!/bin/sh\necho N 2\n', 0o755);
    machine.write('/etc/gbrowse/GBrowse.conf', '[GENERAL]\n#include renderfarm.conf\n');
    bring(machine, await ourPackage('0.1.0'), 'n');
    await removePackages();
    await machine.must('dpkg -i /var/tmp/n.deb');
    await machine.must('apachectl start');
    machine.write(
      DEFAULTS,
      `${machine.read(DEFAULTS)}export AWS_ENDPOINT_URL_EC2=${cloud.endpoint}\nexport AWS_EC2_METADATA_DISABLED=true\n`,
      0o600,
    );
  });
  after(async () => {
    for (const end of ends.reverse()) await end();
  });

  const files = () => [CONF, DEFAULTS, `${CONF}.bak`].map(file => machine.read(file));
  const begin = (t: TestContext) => atTerminal(t, machine, 'gbrowse-aws-balancer setup');

  /** Everything up to the last question. */
  async function converse(terminal: Terminal): Promise<void> {
    await terminal.answer('❯ AWS region of the slaves', `us-west-2${ENTER}`);
    await terminal.answer('EC2 access key', `${cloud.accessKey}${ENTER}`);
    await terminal.answer('EC2 secret key', `${SECRET}${ENTER}`);
    await terminal.answer('❯ Write these keys into', ENTER);
    await terminal.answer('❯ Instance types of the slaves', ENTER);
    await terminal.answer('❯ The most that an hour of a slave may cost', ENTER);
    await terminal.answer('❯ Subnet of the slaves', ENTER);
  }

  test('Ctrl-C at any question ends it, and nothing is written', async t => {
    const before = files();
    const early = await begin(t);
    await early.answer('❯ AWS region of the slaves', CTRL_C);
    assert.equal(await early.ended(), 1);
    const keys = await begin(t);
    await keys.answer('❯ AWS region of the slaves', `us-west-2${ENTER}`);
    await keys.answer('EC2 access key', `${cloud.accessKey}${ENTER}`);
    await keys.answer('EC2 secret key', `${SECRET.slice(0, 8)}${CTRL_C}`);
    assert.equal(await keys.ended(), 1);
    for (const terminal of [early, keys]) {
      assert.match(terminal.shown(), /interrupted; run setup again to go on/);
      assert.doesNotMatch(terminal.shown(), /undefined|at .*\.ts|node:/);
    }
    assert.deepEqual(files(), before);
  });

  test('what it will write is shown first, a secret excepted; Ctrl-C or a no there writes nothing', async t => {
    const before = files();
    for (const [keys, reason] of [
      [CTRL_C, 'interrupted; run setup again to go on'],
      ['n', 'nothing was written'],
    ] as const) {
      const terminal = await begin(t);
      await converse(terminal);
      await terminal.answer('❯ Write this?', keys);
      assert.equal(await terminal.ended(), 1);
      const shown = terminal.shown();
      assert.ok(shown.includes(reason), shown);
      assert.match(shown, /^\+ SECRET_KEY=\(not shown\)/m);
      assert.match(shown, /^\+ region += us-west-2/m);
      assert.doesNotMatch(shown, new RegExp(SECRET.slice(0, 12)));
      assert.deepEqual(files(), before);
    }
  });

  test('a file that somebody else changes while it asks is not overwritten, and no other file is written', async t => {
    const before = files();
    const terminal = await begin(t);
    await converse(terminal);
    await machine.must(`echo '# mine' >>${CONF}`);
    await terminal.answer('❯ Write this?', ENTER);
    assert.equal(await terminal.ended(), 1);
    assert.match(
      terminal.shown(),
      /aws_balancer\.conf was changed while setup was asking, so nothing was written/,
    );
    assert.deepEqual(files(), [`${before[0]}# mine\n`, ...before.slice(1)]);
    machine.write(CONF, before[0] ?? '');
  });

  test('a path that others can change is refused, with what to do about it', async t => {
    const before = files();
    await machine.must('chmod g+w /etc/gbrowse2');
    const terminal = await begin(t);
    await converse(terminal);
    await terminal.answer('❯ Write this?', ENTER);
    assert.equal(await terminal.ended(), 1);
    assert.match(
      terminal.shown(),
      /users other than root can change \/etc\/gbrowse2,[\s\S]*chmod go-w \/etc\/gbrowse2/,
    );
    assert.deepEqual(files(), before);
    await machine.must('chmod g-w /etc/gbrowse2');
  });

  test('wrong answers are refused and asked again, keys are tried at once, and then everything is written', async t => {
    const terminal = await begin(t);
    await terminal.answer('❯ AWS region of the slaves', `Oregon${ENTER}`);
    await terminal.answer('Expected an AWS region', '');
    await terminal.answer('❯ AWS region of the slaves', `us-west-2${ENTER}`);
    await terminal.answer('EC2 access key', `not a key${ENTER}`);
    await terminal.answer('EC2 secret key', `${SECRET}${ENTER}`);
    await terminal.answer('copy it again', '');
    await terminal.answer('EC2 access key', `${cloud.accessKey}${ENTER}`);
    await terminal.answer('EC2 secret key', `${SECRET}${ENTER}`);
    await terminal.answer(`AWS accepts ${cloud.accessKey}`, '');
    await terminal.answer('❯ Write these keys into', ENTER);
    await terminal.answer('❯ Instance types of the slaves', `${CTRL_U}m5.large c5.large${ENTER}`);
    await terminal.answer('With fewer than 3 types', '');
    await terminal.answer('❯ The most that an hour of a slave may cost', ENTER);
    await terminal.answer('❯ Subnet of the slaves', `subnet-0123${ENTER}`);
    await terminal.answer('Network: ', '');
    await terminal.answer('❯ Subnet of the slaves', `${CTRL_U}${ENTER}`);
    await terminal.answer('❯ Subnet of the slaves', ENTER);
    await terminal.answer('❯ Write this?', ENTER);
    await terminal.answer('❯ Make the image of the slaves now?', ENTER);
    await terminal.answer('❯ Copy the data of GBrowse', ENTER);
    assert.equal(await terminal.ended(), 0);
    const shown = terminal.shown();
    assert.match(
      shown,
      /^Next:[\s\S]*gbrowse-aws-balancer image\s+gbrowse-aws-balancer sync\s+[\s\S]*service gbrowse-aws-balancer start/m,
    );
    assert.doesNotMatch(shown, /undefined|NaN/);
    const [conf = '', defaults = '', old] = files();
    assert.match(conf, /^region += us-west-2/m);
    assert.match(conf, /^instance_type += m5\.large c5\.large/m);
    assert.match(conf, /^subnet += +#/m);
    assert.ok(defaults.includes(`\nSECRET_KEY=${SECRET}\n`));
    assert.equal(await machine.must(`stat -c "%a %U" ${DEFAULTS}`), '600 root\n');
    assert.equal(old, machine.read('/usr/share/gbrowse-aws-balancer/aws_balancer.conf'));
  });

  test('run again, it offers what it wrote, and changes nothing', async t => {
    const before = files();
    const terminal = await begin(t);
    await terminal.answer('❯ AWS region of the slaves', ENTER);
    await terminal.answer('❯ Instance types of the slaves', ENTER);
    await terminal.answer('❯ The most that an hour of a slave may cost', ENTER);
    await terminal.answer('❯ Subnet of the slaves', ENTER);
    await terminal.answer('❯ Make the image of the slaves now?', ENTER);
    await terminal.answer('❯ Copy the data of GBrowse', ENTER);
    assert.equal(await terminal.ended(), 0);
    assert.match(terminal.shown(), /Nothing has to be changed/);
    assert.deepEqual(files(), before);
  });
});
