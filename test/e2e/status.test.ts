import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { acquireLock, connectToLock } from '../../src/daemon/lock.ts';
import { REPORT, type Report } from '../../src/status/report.ts';
import { misfit } from '../../src/status/shape.ts';
import { type Apache, apacheMissing, startApache } from '../peers/apache.ts';
import { type Ec2StandIn, ec2Missing, startEc2 } from '../peers/ec2-stand-in.ts';
import { createVisitors } from '../peers/visitors.ts';
import { createMaster, follow, type Master, PROGRAM, SECRET, until } from './world.ts';

const skip = apacheMissing() || ec2Missing();
const SCRIPT = '/usr/bin/script';
const isRoot = process.getuid?.() === 0;
const WWW_DATA = 33;
const NOBODY = 65_534;

describe('status', { skip, concurrency: 3 }, () => {
  let ec2: Ec2StandIn;
  let apache: Apache;
  let visitors: ReturnType<typeof createVisitors>;
  before(async () => {
    [ec2, apache] = await Promise.all([startEc2(), startApache()]);
    await ec2.pool('m5.large', { price: 0.0345 });
    visitors = createVisitors(`${apache.origin}/`);
    visitors.come(7);
  });
  after(async () => {
    visitors?.stop();
    await Promise.all([ec2?.stop(), apache?.stop()]);
  });

  function masterOf(t: TestContext, name: string): Master {
    return createMaster(t, { ec2, name, statusUrl: apache.statusUrl });
  }

  /** `status` with these words, to its end. */
  async function status(master: Master, ...words: readonly string[]) {
    const asked = master.run(['status', '--conf', master.confFile, ...words]);
    const exit = await asked.ended();
    return { exit, stdout: asked.stdout(), stderr: asked.stderr() };
  }

  async function reportOf(master: Master): Promise<Report> {
    const { exit, stdout, stderr } = await status(master, '--json');
    assert.equal(exit, 0, stderr);
    const report: Report = JSON.parse(stdout);
    assert.equal(misfit(REPORT, report), undefined);
    return report;
  }

  /** The report once all is as it is going to be: both slaves serve, and what they cost has been asked for. */
  async function settled(master: Master): Promise<Report> {
    await master.serving(2);
    return until('the report has two slaves and what they cost', async () => {
      const report = await reportOf(master);
      const serving = report.slaves.filter(({ state }) => state === 'serving');
      return serving.length === 2 && report.money.pricePerHour > 0 && report;
    });
  }

  test('what it says is true: of load, range, slaves, farm, EC2 calls, the process itself', async t => {
    const master = masterOf(t, 'true');
    const balancer = master.start();
    await settled(master);
    const before = await master.account.calls();
    const report = await settled(master);
    const afterwards = await master.account.calls();
    const { instances } = await master.account.state();

    assert.equal(report.balancer.pid, balancer.pid);
    assert.equal(report.balancer.master, 'true');
    assert.equal(report.balancer.configFile, master.confFile);
    assert.ok(Date.now() - Date.parse(report.time) < 60_000);
    assert.deepEqual(report.wanted, { minSlaves: 2, maxSlaves: 3, rowRequestsPerSecond: 5 });
    assert.ok((report.load.requestsPerSecond ?? 0) >= 5);
    assert.deepEqual(
      report.slaves
        .map(({ instanceId, instanceType, availabilityZone, address, state }) => ({
          ...{ instanceId, instanceType, availabilityZone, address, state },
        }))
        .toSorted((a, b) => (a.instanceId < b.instanceId ? -1 : 1)),
      instances
        .map(({ id, type, zone, address }) => ({
          ...{ instanceId: id, instanceType: type, availabilityZone: zone, address, state: 'serving' },
        }))
        .toSorted((a, b) => (a.instanceId < b.instanceId ? -1 : 1)),
    );
    assert.deepEqual(report.farm.listedUrls, master.farm());
    // One that is under way has reached EC2 and has not come to its end.
    assert.ok(report.ec2.callsSinceStart >= before.length - 2);
    assert.ok(report.ec2.callsSinceStart <= afterwards.length);
    const count = (action: string) => report.ec2.sinceStart.find(it => it.action === action)?.calls;
    assert.equal(count('CreateFleet'), 1);
    assert.equal(count('DescribeSpotPriceHistory'), 1);
    assert.deepEqual(
      report.decisions.map(({ message }) => message).filter(it => /^launch(ing|ed) |^farm: /.test(it)),
      [...balancer.stderr().matchAll(/INFO {2}(launch(?:ing|ed) .*|farm: .*)/g)].map(
        ([, message]) => message,
      ),
    );
    assert.ok(report.slaves.every(it => it.priceIsKnown && it.pricePerHour === 0.0345));
    assert.deepEqual([report.money.pricePerHour, report.money.isUpperBound], [0.069, false]);
    assert.ok(!JSON.stringify(report).includes(SECRET));
    assert.ok(!JSON.stringify(report).includes(master.account.accessKey));

    const { exit, stdout, stderr } = await status(master);
    assert.deepEqual([exit, stderr], [0, '']);
    assert.match(stdout, /^Slaves {4}2 serving$/m);
    for (const { id, address } of instances)
      assert.match(stdout, new RegExp(`^${id} +serving .* ${address} `, 'm'));
    for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line);
    assert.ok(!stdout.includes('\u001b'));
    balancer.signal('SIGTERM');
    assert.equal(await balancer.ended(), 0);
  });

  test('where AWS does not tell the price it is the bid, and money is "at most"', async t => {
    const master = masterOf(t, 'price');
    await master.account.fault({
      action: 'DescribeSpotPriceHistory',
      count: 100,
      code: 'UnauthorizedOperation',
      status: 403,
    });
    const balancer = master.start();
    const report = await settled(master);
    assert.ok(report.slaves.every(it => !it.priceIsKnown && it.pricePerHour === 0.1));
    assert.deepEqual([report.money.pricePerHour, report.money.isUpperBound], [0.2, true]);
    assert.match((await status(master)).stdout, /^Money {5}at most \$0\.20 an hour now; /m);
    assert.doesNotMatch(balancer.stderr(), /SpotPrice/, 'that is no trouble');
  });

  test('nothing runs: exit status 3, and how to start it', async t => {
    const master = masterOf(t, 'nothing');
    for (const words of [[], ['--json']]) {
      const { exit, stdout, stderr } = await status(master, ...words);
      assert.deepEqual([exit, stdout], [3, '']);
      assert.match(stderr, /^no balancer is running for the master "nothing"\. Start it with "service /);
    }
  });

  test('a missing configuration is a mistake; a wrong one is reported', async t => {
    const master = masterOf(t, 'wrong');
    const missing = master.run(['status', '--conf', '/nonexistent/x.conf']);
    assert.equal(await missing.ended(), 2);
    assert.match(missing.stderr(), /^\/nonexistent\/x\.conf: there is no such file$/m);
    master.configure({ spot_bid: 'much' });
    const { stderr } = await status(master);
    assert.match(stderr, /aws_balancer\.conf:\d+: /);
  });

  test('a balancer from before there was a status', async t => {
    const master = masterOf(t, 'old');
    const lock = await acquireLock('master:old');
    t.after(() => lock?.release());
    const { exit, stderr } = await status(master);
    assert.equal(exit, 1);
    assert.match(stderr, /^the balancer of the master "old" runs, but .* Restart it/);
  });

  test('a balancer whose process is stopped does not answer, and nobody waits for ever', async t => {
    const master = masterOf(t, 'stopped');
    const balancer = master.start();
    await balancer.said(/watching/);
    balancer.signal('SIGSTOP');
    const { exit, stderr } = await status(master);
    balancer.signal('SIGCONT');
    assert.equal(exit, 1);
    assert.match(
      stderr,
      /^the balancer of the master "stopped" runs, but it does not answer: its process is stopped/,
    );
  });

  test('clients that hang, flood and talk nonsense do not disturb the balancer, nor each other for long', async t => {
    const master = masterOf(t, 'hostile');
    const balancer = master.start();
    await master.serving(2);
    for (let index = 0; index < 300; index++) {
      const socket = await connectToLock('master:hostile');
      assert.ok(socket);
      t.after(() => socket.destroy());
      socket.on('error', () => {});
      if (index % 3 === 0) socket.write(Buffer.alloc(200_000, '{"kill":true}'));
      if (index % 3 === 1) socket.destroy();
    }
    const { slaves } = await reportOf(master);
    assert.equal(slaves.length, 2);
    balancer.signal('SIGTERM');
    assert.equal(await balancer.ended(), 0);
    assert.deepEqual(await master.account.remains(), []);
  });

  test('of a balancer of another user it can be asked by anybody', {
    skip: isRoot ? false : 'only root can become another user',
  }, async t => {
    const master = masterOf(t, 'other');
    const file = (name: string) => path.join(master.directory, name);
    const metrics = path.join(file('metrics'), 'balancer.prom');
    mkdirSync(file('metrics'));
    chownSync(file('metrics'), WWW_DATA, WWW_DATA);
    const background = master.start(
      ...['--background', '--user', 'www-data', '--pidfile', file('pid'), '--logfile', file('log')],
      ...['--log-format', 'json', '--metrics-file', metrics],
    );
    assert.equal(await background.ended(), 0);
    await master.serving(2);

    // The project may lie where nobody may not look.
    copyFileSync(PROGRAM, file('program'));
    const asNobody = (...words: readonly string[]) =>
      follow(
        spawn(file('program'), ['status', '--conf', master.confFile, ...words], {
          ...{ uid: NOBODY, gid: NOBODY, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] },
          env: { PATH: '/usr/bin:/bin', AWS_EC2_METADATA_DISABLED: 'true' },
        }),
      );
    chmodSync(master.confFile, 0o644);
    const asked = asNobody('--json');
    assert.equal(await asked.ended(), 0);
    const report: Report = JSON.parse(asked.stdout());
    assert.equal(report.balancer.pid, Number(readFileSync(file('pid'), 'utf8')));
    assert.equal(report.slaves.length, 2);

    // Without the configuration it depends on what else runs on this machine.
    chmodSync(master.confFile, 0o600);
    const blind = asNobody();
    const exit = await blind.ended();
    assert.match(blind.stderr(), /aws_balancer\.conf: this user may not read it/);
    if (exit === 0) assert.match(blind.stdout(), /master "other"/);
    else {
      assert.equal(exit, 2);
      assert.match(blind.stderr(), /balancers run for the masters .*"other"/);
    }
    chmodSync(master.confFile, 0o644);

    const text = await until('the metrics have the slaves', () => {
      const now = existsSync(metrics) && readFileSync(metrics, 'utf8');
      return (
        now !== false && /^gbrowse_aws_balancer_slaves\{master="other",state="serving"\} 2$/m.test(now) && now
      );
    });
    assert.match(text, /^gbrowse_aws_balancer_up\{master="other"\} 1$/m);
    const { mode, uid } = statSync(metrics);
    assert.deepEqual([mode & 0o7777, uid], [0o644, WWW_DATA]);

    assert.equal(await master.run(['--kill', '--pidfile', file('pid')]).ended(), 0);
    assert.ok(!existsSync(metrics), 'what has ended has no metrics');
    for (const line of readFileSync(file('log'), 'utf8').trimEnd().split('\n')) {
      const { time, level, message }: Record<string, unknown> = JSON.parse(line);
      assert.deepEqual([typeof time, typeof level, typeof message], ['string', 'string', 'string']);
    }
  });

  test('metrics that cannot be written are one warning, and the balancer goes on', async t => {
    const master = masterOf(t, 'nometrics');
    const file = path.join(master.directory, 'not/there.prom');
    const balancer = master.start('--metrics-file', file);
    await master.serving(2);
    await balancer.said(/metrics file/);
    balancer.signal('SIGTERM');
    assert.equal(await balancer.ended(), 0);
    assert.deepEqual(
      [...balancer.stderr().matchAll(/WARN {2}(.*metrics.*)/g)].map(([, message]) => message),
      [`the metrics file ${file} cannot be written: its directory does not exist`],
    );
  });

  test('--watch in a pipe: one block after another, as JSON one line after another', async t => {
    const master = masterOf(t, 'pipe');
    const balancer = master.start();
    await balancer.said(/watching/);
    const [text, json] = ['text', 'json'].map(how =>
      master.run(['status', '--conf', master.confFile, '--watch', ...(how === 'json' ? ['--json'] : [])]),
    );
    assert.ok(text && json);
    const blocks = () => text.stdout().match(/^gbrowse-aws-balancer .*, master "pipe"$/gm)?.length ?? 0;
    await until('two blocks', () => blocks() >= 2 && json.stdout().split('\n').length > 2);
    const [first = '', second = ''] = json.stdout().split('\n');
    assert.ok(JSON.parse(first).time < JSON.parse(second).time);
    assert.ok(!text.stdout().includes('\u001b'));
    // The end of the balancer is not the end of the watch.
    balancer.signal('SIGTERM');
    await balancer.ended();
    await until('it says so', () => /no balancer is running/.test(text.stderr()));
    for (const watch of [text, json]) {
      watch.signal('SIGINT');
      assert.equal(await watch.ended(), 'SIGINT');
    }
  });

  test('--watch in a pipe ends when nobody reads it any more', async t => {
    const master = masterOf(t, 'head');
    const balancer = master.start();
    await balancer.said(/watching/);
    const line = `${PROGRAM} status --conf ${master.confFile} --watch | head -n 1`;
    const child = spawn('/bin/sh', ['-c', line], {
      env: master.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const shell = follow(child);
    assert.equal(await shell.ended(), 0);
    assert.match(shell.stdout(), /^gbrowse-aws-balancer .*\n$/);
    assert.equal(shell.stderr(), '');
  });

  for (const [what, key] of [
    ['q', 'q'],
    ['Ctrl-C', '\x03'],
  ] as const) {
    test(`--watch on a terminal draws in place until ${what}, and leaves the terminal as it was`, {
      skip: existsSync(SCRIPT) ? false : `${SCRIPT} is not installed`,
    }, async t => {
      const master = masterOf(t, `screen${what.length}`);
      const balancer = master.start();
      await master.serving(2);
      const line = `stty cols 100 rows 40; stty -g; ${PROGRAM} status --conf ${master.confFile} --watch; echo "exit $?"; stty -g`;
      const child = spawn(SCRIPT, ['-qefc', line, '/dev/null'], {
        env: { ...master.environment, TERM: 'xterm', SHELL: '/bin/sh', LANG: 'C.UTF-8' },
      });
      const terminal = follow(child);
      const frames = () => terminal.stdout().split('\u001b[H').length;
      await until('it was drawn again', () => frames() >= 4);
      child.stdin.write(key);
      await terminal.ended();
      const shown = terminal.stdout();
      assert.ok(shown.includes('\u001b[32mserving\u001b[0m'), 'colours');
      const [enter, leave] = ['\u001b[?1049h', '\u001b[?25h\u001b[?1049l'].map(it => shown.indexOf(it));
      assert.ok(enter !== undefined && leave !== undefined && 0 < enter && enter < leave);
      assert.match(shown, /exit 0/);
      const settings = shown.match(/^(?:[0-9a-f]+:){10,}[0-9a-f]+/gm) ?? [];
      assert.equal(settings.length, 2, shown);
      assert.equal(settings[0], settings[1]);
      balancer.signal('SIGTERM');
      await balancer.ended();
    });
  }

  test('a terminal that goes away takes the watch with it', {
    skip: existsSync(SCRIPT) ? false : `${SCRIPT} is not installed`,
  }, async t => {
    const master = masterOf(t, 'hangup');
    const balancer = master.start();
    await balancer.said(/watching/);
    const child = spawn(
      SCRIPT,
      ['-qefc', `exec ${PROGRAM} status --conf ${master.confFile} --watch`, '/dev/null'],
      {
        env: { ...master.environment, TERM: 'xterm', SHELL: '/bin/sh' },
      },
    );
    const terminal = follow(child);
    await until('it was drawn', () => terminal.stdout().includes('hangup'));
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    await until('only the balancer is left', () => master.processes().every(pid => pid === balancer.pid));
  });
});
