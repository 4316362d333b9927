import './enter.ts';
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Running, run, until } from '../e2e/world.ts';
import { type ModStatus, startModStatus } from '../peers/mod-status.ts';
import { type Cloud, startCloud } from './cloud.ts';
import { createLogin, inState } from './instances.ts';
import { cloudMissing } from './requirements.ts';

const KEY_PAIR = 'slaves';

/** A slave that is ready as soon as anything listens: what is looked at here is the way to it. */
function configuration(cloud: Cloud, statusUrl: string, directory: string): string {
  return `[LOAD TABLE]
0.1     1   1

[MASTER]
name              = watched
external_ip       = ${cloud.master.address}
poll_interval     = 0.03           # minutes
server_status_url = ${statusUrl}
renderfarm_conf   = ${directory}/renderfarm.conf
state_directory   = ${directory}/state
reload_command    = none
drain_time        = 1

[SLAVE]
instance_type     = m5.large
spot_bid          = 0.10
ports             = 8101
region            = us-west-2
image_id          = GBrowse-2.54
ssh_key           = ${KEY_PAIR}
`;
}

describe('logs and ssh of a slave that a balancer has launched', { skip: cloudMissing() }, () => {
  let cloud: Cloud;
  let apache: ModStatus;
  let balancer: Running;
  let id: string;
  let command: (...words: readonly string[]) => Running;

  before(async () => {
    [cloud, apache] = await Promise.all([startCloud({ outside: true }), startModStatus(6)]);
    const directory = path.join(cloud.directory, 'watched');
    mkdirSync(path.join(directory, '.ssh'), { recursive: true, mode: 0o700 });
    const login = await createLogin(cloud, KEY_PAIR);
    after(() => login.remove());
    const identity = path.join(directory, '.ssh', `${KEY_PAIR}.pem`);
    writeFileSync(identity, login.privateKey);
    chmodSync(identity, 0o600);
    writeFileSync(path.join(directory, 'renderfarm.conf'), '[GENERAL]\nrenderfarm = 0\nremote renderer =\n');
    const confFile = path.join(directory, 'aws_balancer.conf');
    writeFileSync(confFile, configuration(cloud, apache.url, directory));
    const account = cloud.account('watched');
    const env = {
      ...cloud.environment,
      AWS_ACCESS_KEY_ID: account.accessKey,
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: directory,
    };
    command = (name, ...words) => run([name ?? '', '--conf', confFile, ...words], env);
    balancer = command('run');
    id = await until('a slave runs', async () => {
      const [instance] = (await account.state()).instances;
      return (
        instance !== undefined &&
        (await cloud.run(instance.id, 'true').then(
          () => instance.id,
          () => false,
        ))
      );
    });
    await inState(cloud, id, 'running');
  });
  after(async () => {
    balancer?.signal('SIGKILL');
    await Promise.all([cloud?.stop(), apache?.stop()]);
  });

  test('a command is run there, with its output and its status, and nothing was asked', async () => {
    const name = command('ssh', id, '--', 'hostname; cat; exit 7');
    assert.equal(await name.ended(), 7, name.stderr());
    assert.equal(name.stdout(), await cloud.run(id, 'hostname'));
    assert.doesNotMatch(name.stderr(), /authenticity|known hosts|password/i);
  });

  test('the only slave needs no name, and its logs come over ssh; they can be followed', async () => {
    await cloud.run(
      id,
      "mkdir -p /var/log/gbrowse && printf 'a \\033[31mred line\\n' >> /var/log/gbrowse/gbrowse_slave",
    );
    const shown = command('logs');
    assert.equal(await shown.ended(60_000), 0, shown.stderr());
    assert.equal(shown.stderr(), '');
    assert.match(
      shown.stdout(),
      /gbrowse-aws-balancer-slave\.log <==\n[\s\S]*network up [\d.]+ s after the start/,
    );
    assert.match(shown.stdout(), /gbrowse_slave <==\n[\s\S]*a \\x1b\[31mred line\n/);
    const followed = command('logs', '--follow', '--lines', '50');
    await until('the first lines are there', () => /red line/.test(followed.stdout()));
    await cloud.run(id, 'echo one more >> /var/log/gbrowse/gbrowse_slave');
    await until('the new line is there', () => /one more/.test(followed.stdout()));
    followed.signal('SIGINT');
    assert.equal(await followed.ended(60_000), 130);
    await until(
      'nothing follows on the slave',
      async () => (await cloud.run(id, "pgrep -f '^tail -v' || true")) === '',
    );
  });

  test('another host key than that of the console is refused, and logs shows the console then', async () => {
    await cloud.run(
      id,
      "rm /etc/ssh/ssh_host_*; ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key; kill -HUP $(cat /run/sshd.pid)",
    );
    const refused = await until('sshd has the other key', async () => {
      const one = command('ssh', id, '--', 'true');
      return (await one.ended()) === 255 && one;
    });
    assert.match(refused.stderr(), /Host key verification failed/);
    const shown = command('logs');
    assert.equal(await shown.ended(), 0);
    assert.match(shown.stderr(), /The console of i-\w+, as EC2 shows it:\n$/);
    assert.match(shown.stdout(), /BEGIN SSH HOST KEY KEYS/);
  });
});
