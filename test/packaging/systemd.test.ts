import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ec2Missing } from '../peers/ec2-stand-in.ts';
import { type Cloud, configure, farm, SECRET, startCloud } from './fixtures/cloud.ts';
import { type Machine, startMachine, until } from './fixtures/machine.ts';
import { bring, ourPackage, removePackages } from './fixtures/packages.ts';
import { rootsMissing } from './fixtures/roots.ts';

const UNIT = 'gbrowse-aws-balancer.service';
const LOG = '/var/log/gbrowse-aws-balancer/gbrowse-aws-balancer.log';

/** GBrowse as FastCGI, as far as Apache and the balancer see it. */
const FASTCGI_SITE = `FcgidMinProcessesPerClass 1
<Directory /srv/fgb>
  Options +ExecCGI
  SetHandler fcgid-script
  Require all granted
</Directory>
Alias /fgb /srv/fgb
`;
const FASTCGI_SCRIPT = `#!/usr/bin/perl
use FCGI;
my $request = FCGI::Request();
while ($request->Accept() >= 0) { print "Content-Type: text/plain\\r\\n\\r\\nhello\\n" }
`;

describe('the unit, on Debian 12 with systemd as PID 1', { skip: rootsMissing() || ec2Missing() }, () => {
  const ends: (() => unknown)[] = [];
  let machine: Machine;
  let cloud: Cloud;
  before(async () => {
    const scope = { after: (end: () => unknown) => void ends.push(end) };
    machine = await startMachine(scope, { root: 'service', systemd: true });
    cloud = await startCloud(scope, machine);
    bring(machine, await ourPackage('0.1.0'), 'n');
    bring(machine, await ourPackage('0.2.0'), 'n+1');
    await removePackages();
    await until('systemd is up', async () =>
      /running|degraded/.test((await machine.run('systemctl is-system-running')).output),
    );
  });
  after(async () => {
    for (const end of ends.reverse()) await end();
  });

  const property = async (name: string) =>
    (await machine.must(`systemctl show --value -p ${name} ${UNIT}`)).trim();
  const isActive = async () => (await machine.run(`systemctl is-active ${UNIT}`)).output.trim();
  const inFarm = (count: number) =>
    until(`${count} slaves are in the farm`, () => farm(machine).length === count);
  const logged = (text: string) => until(`the log says ${text}`, () => machine.read(LOG)?.includes(text));

  test('installed: enabled, not started, in the place of an init script', async () => {
    await machine.must('dpkg -i /var/tmp/n.deb');
    assert.equal(await machine.must(`systemctl is-enabled ${UNIT}`), 'enabled\n');
    assert.equal(await isActive(), 'inactive');
    assert.match(await property('FragmentPath'), /lib\/systemd\/system\/gbrowse-aws-balancer\.service$/);
  });

  test('not configured: started by hand it fails and says what to do, and is not tried again', async () => {
    assert.notEqual((await machine.run(`systemctl start ${UNIT}`)).status, 0);
    assert.equal(await isActive(), 'failed');
    assert.equal(await property('ExecMainStatus'), '6');
    assert.match(
      await machine.must(`journalctl -u ${UNIT}`),
      /not configured yet[\s\S]*: gbrowse-aws-balancer setup/,
    );
    await machine.must(`systemctl reset-failed ${UNIT}`);
  });

  test('a wrong configuration fails at once, with the reason in the journal', async () => {
    configure(machine, cloud, { spot_bid: 'cheap' });
    assert.notEqual((await machine.run(`systemctl start ${UNIT}`)).status, 0);
    assert.equal(await isActive(), 'failed');
    assert.match(await machine.must(`journalctl -u ${UNIT}`), /spot_bid is "cheap"/);
    configure(machine, cloud, { spot_bid: '0.10' });
  });

  test('start returns when the balancer is ready; its words are in journal and log', async () => {
    await cloud.load(3);
    await machine.must('service gbrowse-aws-balancer start');
    assert.equal(await isActive(), 'active');
    assert.match(machine.read(LOG) ?? '', /watching http/);
    await inFarm(2);
    const journal = await machine.must(
      `journalctl -u ${UNIT} -o json --output-fields=PRIORITY,MESSAGE,SYSLOG_IDENTIFIER`,
    );
    const watching = journal.split('\n').find(line => line.includes('watching http')) ?? '';
    assert.deepEqual(
      { ...JSON.parse(watching), MESSAGE: '' },
      {
        ...JSON.parse(watching),
        MESSAGE: '',
        PRIORITY: '6',
        SYSLOG_IDENTIFIER: 'gbrowse-aws-balancer',
      },
    );
    assert.match(JSON.parse(watching).MESSAGE, /^gbrowse-aws-balancer 0/);
  });

  test('it runs as its user, and nothing of it as root; no secret is in what systemd or ps show', async () => {
    assert.match(
      await machine.must(`ps -o user:32= -p ${await property('MainPID')}`),
      /^gbrowse-aws-balancer/,
    );
    assert.equal(await machine.must('pgrep -u root -x -f "gbrowse-aws-balancer.*" || true'), '');
    const shown = await machine.must(
      `ps -efww; systemctl show ${UNIT}; systemctl status ${UNIT}; journalctl; cat ${LOG}`,
    );
    assert.equal(shown.includes(SECRET), false);
  });

  test('reload reads the configuration again', async () => {
    await machine.must(`systemctl reload ${UNIT}`);
    await logged('configuration read again');
    assert.equal(await isActive(), 'active');
    await machine.must('/etc/init.d/gbrowse-aws-balancer reload');
  });

  test('restart and an upgrade keep the slaves', async () => {
    const slaves = await cloud.instances();
    assert.equal(slaves.length, 2);
    const pid = await property('MainPID');
    await machine.must(`systemctl restart ${UNIT}`);
    assert.notEqual(await property('MainPID'), pid);
    assert.deepEqual(await cloud.instances(), slaves);
    await machine.must('dpkg -i /var/tmp/n+1.deb </dev/null');
    assert.equal(await isActive(), 'active');
    assert.equal(
      await machine.must(`readlink /proc/${await property('MainPID')}/exe`),
      '/usr/bin/gbrowse-aws-balancer\n',
    );
    assert.deepEqual(await cloud.instances(), slaves);
    assert.equal(farm(machine).length, 2);
  });

  test('the sandbox: its score is 3.0 at most, and with farm = file Apache is still restarted gracefully', async () => {
    const [, score = '9'] =
      /level for \S+: (\S+)/.exec(await machine.must(`systemd-analyze security ${UNIT}`)) ?? [];
    assert.ok(Number(score) <= 3, score);

    configure(machine, cloud, { farm: 'file' });
    await machine.must(`systemctl restart ${UNIT}`);
    machine.write('/etc/apache2/conf-enabled/fgb.conf', FASTCGI_SITE);
    machine.write('/srv/fgb/gbrowse', FASTCGI_SCRIPT, 0o755);
    await machine.must(
      'chmod 755 /srv/fgb/gbrowse; echo ServerName localhost >/etc/apache2/conf-enabled/name.conf',
    );
    await machine.must('a2enmod -q fcgid; systemctl restart apache2');
    const get = `perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new("127.0.0.1:80") or die; print $s "GET /fgb/gbrowse HTTP/1.0\\r\\n\\r\\n"; print <$s>'`;
    assert.match(await machine.must(get), /hello/);
    await cloud.load(0);
    await inFarm(0);
    await logged('was restarted gracefully: GBrowse runs as FastCGI');
    assert.match(await machine.must(get), /hello/);
    await cloud.load(3);
    await inFarm(2);
  });

  test('the watchdog: a balancer that hangs is ended and started again, and its slaves stay', async () => {
    machine.write(`/etc/systemd/system/${UNIT}.d/quick.conf`, '[Service]\nWatchdogSec=3\nRestartSec=1\n');
    await machine.must(`systemctl daemon-reload; systemctl restart ${UNIT}`);
    const slaves = await cloud.instances();
    // Longer than the watchdog's patience: it is told that all is well.
    await machine.must('sleep 5');
    assert.equal(await property('NRestarts'), '0');
    await machine.must(`kill -STOP ${await property('MainPID')}`);
    await until(
      'it was started again',
      async () => (await property('NRestarts')) === '1' && (await isActive()) === 'active',
    );
    assert.match(await machine.must(`journalctl -u ${UNIT}`), /Watchdog timeout/);
    assert.deepEqual(await cloud.instances(), slaves);
  });

  test('a crash: it comes back by itself and takes up its slaves', async () => {
    const slaves = await cloud.instances();
    await machine.must(`kill -KILL ${await property('MainPID')}`);
    await until(
      'it was started again',
      async () => (await property('NRestarts')) === '2' && (await isActive()) === 'active',
    );
    assert.deepEqual(await cloud.instances(), slaves);
  });

  test('stop waits until nothing is left in EC2; the status is a clean one', async () => {
    await machine.must(`systemctl stop ${UNIT}`);
    assert.equal(await isActive(), 'inactive');
    assert.equal(await property('ExecMainStatus'), '0');
    assert.deepEqual(await cloud.remains(), []);
    assert.deepEqual(farm(machine), []);
  });

  test('removed: it stops first and says how that ended; purged: nothing is left', async () => {
    await machine.must(`systemctl start ${UNIT}`);
    await inFarm(2);
    assert.match(await machine.must('dpkg --remove gbrowse-aws-balancer'), /stopped: no slave is left/);
    assert.deepEqual(await cloud.remains(), []);
    await machine.must('dpkg --purge gbrowse-aws-balancer; rm -r /var/tmp/*.deb /etc/systemd/system/*.d');
    assert.equal(await machine.must('find / -xdev -name "*aws?balancer*"'), '');
    assert.equal((await machine.run(`systemctl cat ${UNIT}`)).status, 1);
  });
});

test('a boot with the package installed and not configured: it is left out, and no unit has failed', {
  skip: rootsMissing(),
}, async t => {
  const installed = await ourPackage('0.1.0', '/bin/true');
  const machine = await startMachine(t, { root: 'service', systemd: true, installed });
  await removePackages();
  await until('systemd is up', async () =>
    /running|degraded/.test((await machine.run('systemctl is-system-running')).output),
  );
  assert.equal((await machine.must('systemctl --failed')).includes('gbrowse'), false);
  assert.equal(await machine.must(`systemctl is-enabled ${UNIT}`), 'enabled\n');
  assert.equal(await machine.must(`systemctl show --value -p Result ${UNIT}`), 'exec-condition\n');
  assert.match(await machine.must(`journalctl -u ${UNIT}`), /not configured yet/);
});
