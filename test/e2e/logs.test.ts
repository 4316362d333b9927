import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { type Ec2StandIn, ec2Missing, startEc2 } from '../peers/ec2-stand-in.ts';
import { type ModStatus, startModStatus } from '../peers/mod-status.ts';
import { createMaster, follow, PROGRAM } from './world.ts';

describe('logs and ssh', { skip: ec2Missing() }, () => {
  let ec2: Ec2StandIn;
  let apache: ModStatus;
  before(async () => {
    [ec2, apache] = await Promise.all([startEc2(), startModStatus(6)]);
  });
  after(() => Promise.all([ec2.stop(), apache.stop()]));

  test('where nobody can log in, logs shows the console, and ssh says how to get a key', async t => {
    const master = createMaster(t, { ec2, name: 'looked at', statusUrl: apache.url });
    const none = master.run(['ssh', '--conf', master.confFile]);
    assert.equal(await none.ended(), 1);
    assert.match(none.stderr(), /^there are no slaves; /);

    const balancer = master.start();
    const [slave] = await master.serving(2);
    assert.ok(slave !== undefined);
    const which = master.run(['logs', '--conf', master.confFile]);
    assert.equal(await which.ended(), 2);
    assert.match(
      which.stderr(),
      /^there are 2 slaves; name one by its id, address or number:\n1 {2}i-\w+ {2}running/,
    );

    const shown = master.run(['logs', slave.id, '--lines', '2', '--conf', master.confFile]);
    assert.equal(await shown.ended(), 0, shown.stderr());
    assert.match(
      shown.stderr(),
      /ssh_key is not set in \S+\. [\s\S]*The console of i-\w+, as EC2 shows it:\n$/,
    );
    assert.equal(
      shown.stdout(),
      'Kernel command line: root=/dev/sda1 ro 4\nEnabling fast FPU save and restore... done.\n',
    );

    const refused = master.run(['ssh', '1', '--conf', master.confFile, '--', 'ls', '--help']);
    assert.equal(await refused.ended(), 1);
    assert.match(refused.stderr(), /aws ec2 import-key-pair --key-name/);

    balancer.signal('SIGTERM');
    assert.equal(await balancer.ended(), 0);
  });

  test('without ssh on this machine, ssh says so at once, and logs shows the console', {
    skip: process.getuid?.() !== 0 && 'needs root',
  }, async t => {
    const master = createMaster(t, { ec2, name: 'no ssh', statusUrl: apache.url });
    master.configure({ security_group: '\nssh_key = farm' });
    const balancer = master.start();
    await master.serving(2);
    const withoutPrograms = (...words: readonly string[]) => {
      const script = 'mount -t tmpfs none /usr/bin && exec "$@"';
      const command = [PROGRAM, ...words, '--conf', master.confFile];
      return follow(
        spawn('unshare', ['-m', 'sh', '-c', script, 'sh', ...command], {
          env: master.environment,
          stdio: ['ignore', 'pipe', 'pipe'],
        }),
      );
    };
    const missing = /the program ssh is not on this machine; install it \(Debian's package openssh-client\)/;
    const ssh = withoutPrograms('ssh', '1');
    assert.equal(await ssh.ended(), 1);
    assert.match(ssh.stderr(), missing);
    assert.doesNotMatch(ssh.stderr(), /waiting/);
    const logs = withoutPrograms('logs', '1');
    assert.equal(await logs.ended(), 0, logs.stderr());
    assert.match(logs.stderr(), missing);
    assert.match(logs.stdout(), /Linux version/);
    balancer.signal('SIGTERM');
    assert.equal(await balancer.ended(), 0);
  });

  test('only the slaves of this master are known', async t => {
    const master = createMaster(t, { ec2, name: 'mine', statusUrl: apache.url });
    const other = createMaster(t, { ec2, name: 'theirs', statusUrl: apache.url });
    const balancers = [master.start(), other.start()];
    await master.serving(2);
    const [theirs] = await other.serving(2);
    const asked = master.run(['logs', theirs?.id ?? '', '--conf', master.confFile]);
    assert.equal(await asked.ended(), 2);
    assert.match(asked.stderr(), /^no slave of this master is called "i-\w+", expected/);
    for (const balancer of balancers) balancer.signal('SIGTERM');
    for (const balancer of balancers) assert.equal(await balancer.ended(), 0);
  });
});
