import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ec2Missing } from '../peers/ec2-stand-in.ts';
import { type Cloud, configure, farm, SECRET, startCloud } from './fixtures/cloud.ts';
import { type Machine, startMachine, until } from './fixtures/machine.ts';
import { bring, changed, ourPackage, removePackages } from './fixtures/packages.ts';
import { rootsMissing } from './fixtures/roots.ts';

const INIT = '/etc/init.d/gbrowse-aws-balancer';
const PIDFILE = '/run/gbrowse-aws-balancer/gbrowse-aws-balancer.pid';
const LOG = '/var/log/gbrowse-aws-balancer/gbrowse-aws-balancer.log';

describe('the init script, on Debian 12 without systemd', { skip: rootsMissing() || ec2Missing() }, () => {
  const ends: (() => unknown)[] = [];
  let machine: Machine;
  let cloud: Cloud;
  before(async () => {
    const scope = { after: (end: () => unknown) => void ends.push(end) };
    machine = await startMachine(scope, { root: 'service' });
    cloud = await startCloud(scope, machine);
    const next = await ourPackage('0.2.0');
    // As after a boot by sysvinit: invoke-rc.d starts services in no other runlevel.
    machine.write('/sbin/runlevel', '#!/bin/sh\necho N 2\n', 0o755);
    bring(machine, await ourPackage('0.1.0'), 'n');
    bring(machine, next, 'n+1');
    bring(
      machine,
      await changed(next, 'default', `echo '# new' >>%/usr/share/gbrowse-aws-balancer/default`),
      'n+2',
    );
    await removePackages();
  });
  after(async () => {
    for (const end of ends.reverse()) await end();
  });

  async function init(action: string, status: number): Promise<string> {
    const { status: actual, output } = await machine.run(`${INIT} ${action}`);
    assert.equal(actual, status, `${action}: ${output}`);
    return output;
  }

  /** Where the balancer is, as root of this machine sees it. */
  async function processes(): Promise<string> {
    return (await machine.run('ps -eo pid,user,args | grep [g]browse-aws-balancer')).output;
  }

  test('a fresh package starts nothing, and says what to do first', async () => {
    const said = await machine.must('dpkg -i /var/tmp/n.deb');
    assert.match(said, /installed and not started/);
    assert.match(said, /writes \/etc\/gbrowse2\/aws_balancer\.conf: gbrowse-aws-balancer setup/);
    assert.match(said, /service gbrowse-aws-balancer start/);
    assert.equal(await processes(), '');
    assert.equal(await machine.must('stat -c "%a %U" /etc/default/gbrowse-aws-balancer'), '600 root\n');
    assert.match(
      await machine.must('ls /etc/rc2.d /etc/rc6.d'),
      /S\d\dgbrowse-aws-balancer[\s\S]*K\d\dgbrowse-aws-balancer/,
    );
    assert.match(await init('start', 6), /not configured yet.*\n.*: gbrowse-aws-balancer setup/);
    assert.equal(await processes(), '');
  });

  test('stopped: status is 3, stop 0, reload 7, try-restart 0; an unknown action is refused', async () => {
    await init('status', 3);
    await init('stop', 0);
    await init('reload', 7);
    await init('force-reload', 7);
    await init('try-restart', 0);
    assert.match(await init('jump', 3), /Usage: .*start\|stop\|restart/);
    await init('', 2);
  });

  test('a missing or a wrong configuration file is named, and the status is 6', async () => {
    await machine.must('mv /etc/gbrowse2/aws_balancer.conf /tmp/');
    assert.match(await init('start', 6), /there is no \/etc\/gbrowse2\/aws_balancer\.conf/);
    await machine.must('mv /tmp/aws_balancer.conf /etc/gbrowse2/');
    configure(machine, cloud, { spot_bid: 'cheap', farm: 'file' });
    assert.match(await init('start', 6), /aws_balancer\.conf:\d+: spot_bid is "cheap", expected/);
    await init('status', 3);
    configure(machine, cloud, { spot_bid: '0.10', farm: 'file' });
  });

  test('start runs it under its user, with secrets where nobody sees them; again it is 0', async () => {
    await cloud.load(3);
    assert.match(await init('start', 0), /is running \(process \d+\)/);
    await init('status', 0);
    const pid = machine.read(PIDFILE)?.trim();
    assert.match(await init('start', 0), new RegExp(`is running already \\(process ${pid}\\)`));
    await until('two slaves are in the farm', () => farm(machine).length === 2);
    const shown = await processes();
    assert.match(shown, new RegExp(`^ *${pid} gbrowse\\S* +gbrowse-aws-balancer run --conf`, 'm'));
    assert.match(shown, /root +gbrowse-aws-balancer: keeper/);
    assert.equal(shown.includes(SECRET), false);
    // The file of the daemon's own environment is root's alone.
    assert.equal(
      (await machine.run(`setpriv --reuid=nobody --clear-groups cat /proc/${pid}/environ`)).status,
      1,
    );
    const leaks = await machine.run(
      `grep -rl -- '${SECRET}' /etc /run /var/log /var/lib/gbrowse-aws-balancer /tmp`,
    );
    assert.equal(leaks.output, '/etc/default/gbrowse-aws-balancer\n');
    assert.equal(await machine.must(`stat -c %U ${LOG}`), 'gbrowse-aws-balancer\n');
  });

  test('reload reads the configuration again', async () => {
    await init('reload', 0);
    await until('the log says so', () => machine.read(LOG)?.includes('configuration read again'));
    await init('force-reload', 0);
  });

  test('logrotate: the log goes on in a new file of the same owner', async () => {
    await machine.must('logrotate --force /etc/logrotate.d/gbrowse-aws-balancer');
    await until('the new file is written to', () => machine.read(LOG)?.includes('configuration read again'));
    assert.equal(await machine.must(`stat -c "%a %U" ${LOG}`), '640 gbrowse-aws-balancer\n');
  });

  test('restart keeps the slaves', async () => {
    const slaves = await cloud.instances();
    assert.equal(slaves.length, 2);
    await init('restart', 0);
    await init('try-restart', 0);
    assert.deepEqual(await cloud.instances(), slaves);
    assert.equal(farm(machine).length, 2);
  });

  test('restart with a configuration that is gone leaves the running one alone', async () => {
    const pid = machine.read(PIDFILE);
    await machine.must('mv /etc/gbrowse2/aws_balancer.conf /tmp/');
    await init('restart', 6);
    await machine.must('mv /tmp/aws_balancer.conf /etc/gbrowse2/');
    assert.equal(machine.read(PIDFILE), pid);
    await init('status', 0);
  });

  test('restart with a configuration that is wrong says what is, and leaves the running one alone', async () => {
    const pid = machine.read(PIDFILE);
    await machine.must('cp /etc/gbrowse2/aws_balancer.conf /tmp/');
    await machine.must("sed -i 's/^spot_bid.*/spot_bid = much/' /etc/gbrowse2/aws_balancer.conf");
    assert.match(await init('restart', 6), /aws_balancer\.conf:\d+:\s+spot_bid\s+is\s+"much"/);
    await machine.must('mv /tmp/aws_balancer.conf /etc/gbrowse2/');
    assert.equal(machine.read(PIDFILE), pid);
    await init('status', 0);
  });

  test('an upgrade keeps slaves and edited files, and runs the new version', async () => {
    const slaves = await cloud.instances();
    const [conf, defaults] = ['/etc/gbrowse2/aws_balancer.conf', '/etc/default/gbrowse-aws-balancer'].map(
      machine.read,
    );
    const said = await machine.must('dpkg -i /var/tmp/n+1.deb </dev/null');
    assert.match(said, /its slaves stay/);
    await init('status', 0);
    assert.deepEqual(await cloud.instances(), slaves);
    assert.equal(machine.read('/etc/gbrowse2/aws_balancer.conf'), conf);
    assert.equal(machine.read('/etc/default/gbrowse-aws-balancer'), defaults);
    // What runs is the file that is there now, not a deleted one.
    assert.equal(
      await machine.must(`readlink /proc/$(cat ${PIDFILE})/exe`),
      '/usr/bin/gbrowse-aws-balancer\n',
    );
  });

  test('a new version of an edited file is put beside it, and nothing is asked', async () => {
    assert.match(await machine.must('dpkg -i /var/tmp/n+2.deb </dev/null'), /was changed and stays as it is/);
    assert.match(machine.read('/etc/default/gbrowse-aws-balancer') ?? '', /sesame/);
    assert.match(machine.read('/etc/default/gbrowse-aws-balancer.dpkg-dist') ?? '', /# new/);
  });

  test('after kill -9: status is 1, stop warns of slaves left, start takes them up', async () => {
    const slaves = await cloud.instances();
    await machine.must(`kill -9 $(cat ${PIDFILE})`);
    await until('it is gone', async () => (await processes()) === '');
    await init('status', 1);
    assert.match(await init('stop', 0), /slaves of it may be left in EC2/);
    await init('status', 3);
    await init('start', 0);
    await until('the farm is as it was', () => farm(machine).length === 2);
    assert.deepEqual(await cloud.instances(), slaves);
  });

  test('the pidfile of a dead balancer whose id another program has is not taken for a running one', async () => {
    await machine.must(`cp ${PIDFILE} /tmp/pid; echo 1 >${PIDFILE}`);
    await init('status', 1);
    await machine.must(`cp /tmp/pid ${PIDFILE}`);
    await init('status', 0);
  });

  test('stop says what it does and waits until nothing is left in EC2', async () => {
    const said = await init('stop', 0);
    assert.match(said, /empties the farm/);
    assert.match(said, /stopped: no slave is left/);
    assert.deepEqual(await cloud.remains(), []);
    assert.deepEqual(farm(machine), []);
    await init('status', 3);
  });

  test('removed and not purged: the script is there, quiet, and 0; it ended what ran', async () => {
    await init('start', 0);
    await until('two slaves are in the farm', () => farm(machine).length === 2);
    const said = await machine.must('dpkg --remove gbrowse-aws-balancer');
    assert.match(said, /ends its slaves in EC2/);
    assert.match(said, /stopped: no slave is left/);
    assert.deepEqual(await cloud.remains(), []);
    for (const action of ['start', 'stop', 'status', 'restart']) assert.equal(await init(action, 0), '');
  });

  test('removed after a crash: it says that slaves may be left, and by what they are known', async () => {
    await cloud.load(0);
    await machine.must(`dpkg -i /var/tmp/n.deb && ${INIT} start && kill -9 $(cat ${PIDFILE})`);
    await until('it is gone', async () => (await processes()) === '');
    assert.match(
      await machine.must('dpkg --remove gbrowse-aws-balancer'),
      /may still be running.*\n.*tag gbrowse-aws-balancer:master/,
    );
  });

  test('purged: configuration, logs, user and links are gone', async () => {
    await machine.must('dpkg --purge gbrowse-aws-balancer; rm /var/tmp/*.deb');
    assert.equal(await machine.must('find / -xdev -name "*aws?balancer*"'), '');
    assert.equal(machine.read('/etc/passwd')?.includes('gbrowse'), false);
    assert.equal(machine.read('/etc/group')?.includes('gbrowse'), false);
  });
});
