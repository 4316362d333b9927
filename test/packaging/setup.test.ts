import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ec2Missing } from '../peers/ec2-stand-in.ts';
import { type Cloud, farm, SECRET, startCloud } from './fixtures/cloud.ts';
import { type Machine, startMachine, until } from './fixtures/machine.ts';
import { bring, ourPackage, removePackages } from './fixtures/packages.ts';
import { rootsMissing } from './fixtures/roots.ts';

const CONF = '/etc/gbrowse2/aws_balancer.conf';
const DEFAULTS = '/etc/default/gbrowse-aws-balancer';
const ORIGINAL = '/etc/gbrowse/aws_balancer.conf';

/** The Perl original's configuration, in which somebody has decided on some things. */
const decided = (statusUrl: string) => `[LOAD TABLE]
0.5 0 1
1.0 2 2
[MASTER]
external_ip       = 192.0.2.1
poll_interval     = 0.02
server_status_url = ${statusUrl}
[SLAVE]
instance_type     = m1.large       # pretty nice performance, might also try medium
spot_bid          = 0.10
ports             = 8101
region            = us-west-2
image_id          = GBrowse-2.54
data_snapshots    =
`;

describe('setup, on a Debian 12 that had the Perl original', { skip: rootsMissing() || ec2Missing() }, () => {
  const ends: (() => unknown)[] = [];
  let machine: Machine;
  let cloud: Cloud;
  before(async () => {
    const scope = { after: (end: () => unknown) => void ends.push(end) };
    machine = await startMachine(scope, { root: 'service' });
    cloud = await startCloud(scope, machine);
    machine.write('/sbin/runlevel', '#!/bin/sh\necho N 2\n', 0o755);
    machine.write('/etc/gbrowse/GBrowse.conf', '[GENERAL]\n#include renderfarm.conf\n');
    machine.write(ORIGINAL, decided(cloud.statusUrl));
    machine.write(DEFAULTS, `ACCESS_KEY=${cloud.accessKey}\nSECRET_KEY=${SECRET}\n`, 0o644);
    bring(machine, await ourPackage('0.1.0'), 'n');
    await removePackages();
  });
  after(async () => {
    for (const end of ends.reverse()) await end();
  });

  test('the package says what setup takes over, and closes the old file of keys', async () => {
    const said = await machine.must('dpkg -i /var/tmp/n.deb');
    assert.match(said, /"gbrowse-aws-balancer setup" takes over .* \/etc\/gbrowse\/aws_balancer\.conf/);
    assert.match(said, /\.local holds a secret key, which others could read: now only root can/);
    assert.equal(await machine.must(`stat -c "%a %U" ${DEFAULTS}.local`), '600 root\n');
    // Where EC2 is, as an administrator says it.
    machine.write(
      DEFAULTS,
      `${machine.read(DEFAULTS)}export AWS_ENDPOINT_URL_EC2=${cloud.endpoint}\nexport AWS_EC2_METADATA_DISABLED=true\n`,
      0o600,
    );
  });

  test('--dry-run shows what would be written, without a secret, and writes nothing', async () => {
    const before = [CONF, DEFAULTS].map(file => machine.read(file));
    const shown = await machine.must('gbrowse-aws-balancer setup --dry-run');
    assert.match(shown, /^\+ SECRET_KEY=\(not shown\)$/m);
    assert.equal(shown.includes(SECRET), false);
    assert.deepEqual(
      [CONF, DEFAULTS].map(file => machine.read(file)),
      before,
    );
  });

  test('--yes takes the original’s settings and keys over, chooses types of today, and check finds it in order', async () => {
    const { status, output } = await machine.run(
      `gbrowse-aws-balancer setup --yes --image_id ${cloud.image}`,
    );
    assert.match(output, /Taken over from \/etc\/gbrowse\/aws_balancer\.conf: \[LOAD TABLE\], external_ip/);
    assert.match(output, /Trying the keys in \S+\.local\.[\s\S]*AWS accepts/);
    assert.match(output, /an hour in us-west-2/);
    assert.match(output, /requests\/s +min +max +a month at min +a month at max/);
    assert.equal(output.includes(SECRET), false);
    const conf = machine.read(CONF) ?? '';
    assert.match(conf, /^instance_type +=( \w+\.large){4}/m);
    assert.doesNotMatch(conf, /m1\.large|GBrowse-2\.54/);
    assert.match(conf, /^1\.0 +2 +2$/m);
    assert.match(conf, /^region += us-west-2/m);
    assert.equal(
      machine.read(`${CONF}.bak`),
      machine.read('/usr/share/gbrowse-aws-balancer/aws_balancer.conf'),
    );
    assert.equal(await machine.must(`stat -c "%a %U" ${DEFAULTS}`), '600 root\n');
    assert.match(machine.read('/etc/gbrowse/renderfarm.conf') ?? '', /renderfarm list/);
    assert.match(output, /^Next:[\s\S]*service gbrowse-aws-balancer start/m);
    assert.equal(status, /^problem/m.test(output) ? 1 : 0, output);
    const problems = [...output.matchAll(/^problem +(\S+(?: \S+)*?) {2}/gm)].map(([, topic]) => topic);
    // There is no GBrowse on this machine but its configuration.
    assert.deepEqual(
      problems.filter(topic => topic !== 'following'),
      [],
      output,
    );
  });

  test('again, it changes nothing', async () => {
    const before = [CONF, DEFAULTS].map(file => machine.read(file));
    const { output } = await machine.run('gbrowse-aws-balancer setup --yes');
    assert.match(output, /Nothing has to be changed/);
    assert.deepEqual(
      [CONF, DEFAULTS].map(file => machine.read(file)),
      before,
    );
  });

  for (const command of ['check', 'gc', 'sync --dry-run', 'image --dry-run', 'run --dry-run --verbosity 3']) {
    test(`${command} finds keys and exports of /etc/default as root, like the service`, async () => {
      const { output } = await machine.run(
        `timeout ${command.startsWith('run') ? 5 : 60} gbrowse-aws-balancer ${command}`,
      );
      assert.doesNotMatch(output, /no AWS credentials|no credentials|cannot be reached|No credentials/i);
      assert.equal(output.includes(SECRET), false);
    });
  }

  test('the service starts with it, and has slaves', async () => {
    await cloud.load(3);
    await machine.must(`sed -i 's/^\\[MASTER\\]/&\\ndrain_time = 2/' ${CONF}`);
    await machine.must('service gbrowse-aws-balancer start');
    await until('two slaves are in the farm', () => farm(machine).length === 2);
    await machine.must('service gbrowse-aws-balancer stop');
    assert.deepEqual(await cloud.remains(), []);
  });
});
