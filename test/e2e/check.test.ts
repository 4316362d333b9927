import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { CheckedFinding } from '../../src/check/check.ts';
import { withOwn } from '../../src/farm/renderfarm.ts';
import { type Apache, apacheMissing, startApache } from '../peers/apache.ts';
import { type Ec2StandIn, ec2Missing, startEc2 } from '../peers/ec2-stand-in.ts';
import { startModStatus } from '../peers/mod-status.ts';
import { createMaster, type Master, type MasterOptions, SECRET } from './world.ts';

const skip = apacheMissing() || ec2Missing();

let ec2: Ec2StandIn;
let apache: Apache;
before(async () => {
  if (skip === false) [ec2, apache] = await Promise.all([startEc2(), startApache()]);
});
after(() => Promise.all([ec2?.stop(), apache?.stop()]));

type TestContext = Parameters<typeof createMaster>[0];

/** A master whose GBrowse.conf includes its farm file. */
function masterOf(t: TestContext, name: string, more: Partial<MasterOptions> = {}): Master {
  const master = createMaster(t, { ec2, name, statusUrl: apache.statusUrl, ...more });
  writeFileSync(path.join(master.directory, 'GBrowse.conf'), '[GENERAL]\n#include renderfarm.conf\n');
  return master;
}

/** Seconds: whatever else this machine does. */
const PATIENCE = '80';

type Checked = { readonly status: number | NodeJS.Signals; readonly findings: readonly CheckedFinding[] };

/** Runs it. No look-up of this machine's address on the internet. */
async function checked(
  master: Master,
  env: NodeJS.ProcessEnv = {},
  words: readonly string[] = ['--timeout', PATIENCE],
): Promise<Checked> {
  const all = { ...master.environment, HTTPS_PROXY: 'http://127.0.0.1:1', ...env };
  const command = master.run(['check', '--json', '--conf', master.confFile, ...words], all);
  const status = await command.ended();
  assert.equal(command.stderr(), '');
  assert.ok(!command.stdout().includes(SECRET));
  return { status, findings: JSON.parse(command.stdout()).findings };
}

function about({ findings }: Checked, topic: string): readonly CheckedFinding[] {
  return findings.filter(it => it.topic === topic);
}

/** That a problem was found there which says, or is fixed by, this; and no problem anywhere else. */
function assertProblem(report: Checked, topic: string, said: RegExp): void {
  assert.equal(report.status, 1);
  const problems = report.findings.filter(({ verdict }) => verdict === 'problem');
  assert.deepEqual([...new Set(problems.map(it => it.topic))], [topic], JSON.stringify(problems));
  assert.match(problems.map(({ message, fix }) => `${message}\n${fix ?? ''}`).join('\n'), said);
}

test('a master where all is in place: no problem, and nothing is changed anywhere', { skip }, async t => {
  const master = masterOf(t, 'check-good');
  const report = await checked(master);
  assert.equal(report.status, 0);
  assert.ok(!report.findings.some(({ verdict }) => verdict === 'problem'), JSON.stringify(report.findings));
  for (const topic of [
    'configuration',
    'mod_status',
    'farm file',
    'region',
    'clock',
    'credentials',
    'permissions',
    'image',
    'instance type',
    'price',
    'snapshots',
    'network',
    'leftovers',
  ]) {
    assert.ok(
      about(report, topic).some(({ verdict }) => verdict === 'ok'),
      topic,
    );
  }
  assert.match(
    about(report, 'credentials')[0]?.message ?? '',
    /AKIACHECKGOOD of account 123456789012, from AWS_ACCESS_KEY_ID/,
  );
  assert.match(about(report, 'price').at(-1)?.message ?? '', /At most \$0\.30 an hour: 3 slaves/);
  for (const { action, parameters } of await master.account.calls()) {
    assert.ok(/^(Describe|GetEbs)/.test(action) || parameters.DryRun === 'true', action);
  }
  assert.deepEqual(await master.account.remains(), []);
  assert.equal(master.history().length, 1);

  // The same for people, in a pipe: plain, on 80 columns but for what is to be copied.
  const command = master.run(['check', '--conf', master.confFile, '--timeout', PATIENCE], {
    ...master.environment,
    HTTPS_PROXY: 'http://127.0.0.1:1',
  });
  assert.equal(await command.ended(), 0);
  for (const line of command.stdout().split('\n')) assert.match(line, /^[ -~]{0,80}$|^ {24,}/);
  assert.match(command.stdout(), /^ok {7}configuration /);
});

test('while slaves run, what can only be done to them is tried too, and a second balancer is foreseen', {
  skip,
}, async t => {
  const load = await startModStatus(6);
  t.after(() => load.stop());
  const master = masterOf(t, 'check-busy', { statusUrl: load.url });
  const balancer = master.start();
  await master.serving(2);
  const report = await checked(master);
  assert.equal(report.status, 0, JSON.stringify(report.findings));
  const allowed = about(report, 'permissions')[0]?.details?.allowed;
  assert.ok(Array.isArray(allowed));
  for (const action of [
    'TerminateInstances',
    'CreateTags',
    'CreateFleet',
    'RunInstances',
    'DeleteSecurityGroup',
    'CancelSpotInstanceRequests',
  ]) {
    assert.ok(allowed.includes(action), action);
  }
  assert.ok(!allowed.includes('CreateImage'), 'nobody uses image here');
  const words = ['--timeout', PATIENCE, '--topic', 'permissions', '--sync', '--image'];
  const [more] = (await checked(master, {}, words)).findings;
  for (const action of ['CreateImage', 'CreateSnapshots', 'ModifyVolume', 'DeleteVolume', 'RunInstances']) {
    assert.ok(Array.isArray(more?.details?.allowed) && more.details.allowed.includes(action), action);
  }
  await master.account.fault({ action: 'CreateImage', code: 'UnauthorizedOperation', status: 403 });
  assertProblem(
    await checked(master, {}, words),
    'permissions',
    /Denied: CreateImage\.[\s\S]*CreateWithTag[\s\S]*\n {4}gbrowse-aws-balancer iam-policy --sync --image --conf/,
  );
  assert.ok(about(report, 'master').some(({ message }) => /is running on this machine/.test(message)));
  assert.ok(!about(report, 'leftovers').some(({ verdict }) => verdict === 'warning'));
  balancer.signal('SIGTERM');
  assert.equal(await balancer.ended(), 0);
});

describe('mod_status', () => {
  const troubles: readonly (readonly [string, Parameters<typeof startApache>[0], RegExp])[] = [
    ['without ExtendedStatus', { extendedStatus: false }, /ExtendedStatus is Off.*\n {4}ExtendedStatus On/],
    ['forbidden', { access: 'all denied' }, /403 Forbidden.*"Require local"/],
    ['not there', { modStatus: false }, /404 Not Found.*a2enmod status.*\n.*ExtendedStatus On/],
    [
      'another page',
      { modStatus: false, lines: ['AliasMatch "^/server-status" "@DIR@/htdocs/index.html"'] },
      /not mod_status: the answer is another page/,
    ],
  ];
  for (const [what, options, said] of troubles) {
    test(`${what}: what to put into Apache's configuration`, { skip }, async t => {
      const wrong = await startApache(options);
      t.after(() => wrong.stop());
      const report = await checked(
        masterOf(t, `check-status-${what.replaceAll(' ', '-')}`, { statusUrl: wrong.statusUrl }),
      );
      assertProblem(report, 'mod_status', said);
    });
  }

  test('out of a cache: our own request is not counted', { skip }, async t => {
    const page = 'localhost\nServerUptimeSeconds: 5\nTotal Accesses: 9\nUptime: 5\n';
    const url = await serve(t, (_, response) => void response.end(page));
    const report = await checked(masterOf(t, 'check-cache', { statusUrl: `${url}/server-status` }));
    assertProblem(
      report,
      'mod_status',
      /not counted.*cache.*\n {4}server_status_url = http:\/\/localhost\/server-status/,
    );
  });
});

describe('the farm file', () => {
  test('that GBrowse does not include: the line for GBrowse.conf', { skip }, async t => {
    const master = masterOf(t, 'check-include');
    writeFileSync(path.join(master.directory, 'GBrowse.conf'), '[GENERAL]\n');
    assertProblem(
      await checked(master),
      'farm file',
      /GBrowse\.conf, in \[GENERAL\].*\n {4}#include renderfarm\.conf/,
    );
  });

  test('that lists slaves which nobody manages', { skip }, async t => {
    const master = masterOf(t, 'check-listed');
    writeFileSync(master.farmFile, withOwn('[GENERAL]\n', ['http://127.9.9.9:8101']));
    const report = await checked(master);
    assert.equal(report.status, 0);
    assert.ok(
      about(report, 'farm file').some(
        ({ verdict, message }) => verdict === 'warning' && /lists 1/.test(message),
      ),
    );
  });

  test("that lists the administrator's own slaves: they stay, and one that does not answer is named", {
    skip,
  }, async t => {
    const master = masterOf(t, 'check-foreign');
    const alive = await serve(t, (_, response) => void response.writeHead(403).end());
    const dead = 'http://127.9.9.9:8101';
    writeFileSync(master.farmFile, `[GENERAL]\nrenderfarm = 1\nremote renderer =\n\t${alive}\n\t${dead}\n`);
    const report = await checked(master);
    assert.equal(report.status, 0);
    const said = about(report, 'farm file').filter(({ message }) => message.startsWith('It lists'));
    assert.deepEqual(
      said.map(({ verdict, message }) => [verdict, message]),
      [
        ['ok', `It lists ${alive}, which is not the balancer's and stays.`],
        ['warning', `It lists ${dead}, which is not the balancer's and does not answer.`],
      ],
    );
    assert.match(said[1]?.fix ?? '', /take it out of "remote renderer" in .*renderfarm\.conf\.$/);
  });
});

describe('the account', () => {
  test('every denied action at once, with the command that prints the policy', { skip }, async t => {
    const master = masterOf(t, 'check-denied');
    const denied = ['CreateFleet', 'CreateLaunchTemplate', 'CreateSecurityGroup', 'DescribeSubnets'];
    const message =
      'You are not authorized to perform this operation. User: arn:aws:iam::123456789012:user/x is not authorized to perform: ec2:X on resource: arn:aws:ec2:us-west-2:123456789012:fleet/*';
    await master.account.fault({
      action: denied.join('|'),
      having: 'DryRun=true',
      code: 'UnauthorizedOperation',
      message,
      count: 99,
    });
    const report = await checked(master);
    assertProblem(
      report,
      'permissions',
      /Denied: CreateFleet, CreateLaunchTemplate, CreateSecurityGroup, DescribeSubnets\.[\s\S]*\n {4}gbrowse-aws-balancer iam-policy --conf/,
    );
    const { details } = about(report, 'permissions').find(({ verdict }) => verdict === 'problem') ?? {};
    assert.deepEqual(details?.denied, denied);
  });

  test('an image that is not there', { skip }, async t => {
    const byName = masterOf(t, 'check-image', { options: { image_id: 'GBrowse-9.99' } });
    assertProblem(
      await checked(byName),
      'image',
      /"GBrowse-9\.99" belongs to self[\s\S]*aws_balancer\.conf:\d+[\s\S]*\n {4}aws ec2 describe-images/,
    );
    byName.configure({ image_id: 'ami-00000000000000bad' });
    assertProblem(await checked(byName), 'image', /no AMI ami-00000000000000bad/);
  });

  test('types that there are not, a bid that is too low, snapshots that are gone: each with its line', {
    skip,
  }, async t => {
    const types = masterOf(t, 'check-types', { options: { instance_type: 'q1.large' } });
    const report = await checked(types);
    assert.equal(report.status, 1);
    assert.ok(
      about(report, 'instance type').some(({ message }) =>
        /q1\.large cannot be used: us-west-2 does not have it/.test(message),
      ),
    );

    await ec2.pool('c5.large', { price: 0.2 });
    const bid = masterOf(t, 'check-bid', { options: { instance_type: 'c5.large' } });
    assertProblem(
      await checked(bid),
      'price',
      /c5\.large costs \$0\.20 in 4 zones, more than the bid of \$0\.10[\s\S]*conf:\d+:\n {4}spot_bid = 0\.24/,
    );

    const data = masterOf(t, 'check-snapshots', { options: { data_snapshots: 'snap-00000000000000bad' } });
    assertProblem(
      await checked(data),
      'snapshots',
      /snap-00000000000000bad: not in this region[\s\S]*conf:\d+:\n {4}gbrowse-aws-balancer sync --conf/,
    );
  });

  test('the keys that encrypt the volumes of slaves: AWS’s own, the default’s, the image’s; no word against one in use', {
    skip,
  }, async t => {
    const own = await startEc2();
    t.after(() => own.stop());
    const load = await startModStatus(6);
    t.after(() => load.stop());
    const key = (id: string) => `arn:aws:kms:us-west-2:123456789012:key/${id}`;
    const master = createMaster(t, { ec2: own, name: 'check-keys', statusUrl: load.url });
    const words = ['--timeout', PATIENCE, '--topic', 'encryption'];
    const said = async () => {
      const { findings } = await checked(master, {}, words);
      return findings.map(({ verdict, message }) => `${verdict} ${message.split(' ')[0]}`);
    };
    assert.deepEqual(await said(), ['ok The']);
    await own.encryptByDefault('alias/aws/ebs');
    assert.deepEqual(await said(), ['ok aws/ebs']);
    await own.encryptByDefault(key('default'));
    await own.encrypt(own.image, key('image'));
    assert.deepEqual(await said(), [`warning ${key('default')}`, `warning ${key('image')}`]);
    const [, finding] = (await checked(master, {}, words)).findings;
    assert.match(finding?.message ?? '', /\(the image\).*Client\.InternalError.*AWSServiceRoleForEC2Spot/);
    assert.match(
      finding?.fix ?? '',
      / {4}gbrowse-aws-balancer iam-policy --commands .*--kms-key arn:\S+image$/,
    );

    const balancer = master.start();
    await master.serving(2);
    assert.deepEqual(await said(), [`warning ${key('default')}`, `ok ${key('image')}`]);
    balancer.signal('SIGTERM');
    assert.equal(await balancer.ended(), 0);
  });

  test('a key pair and a security group that are not there', { skip }, async t => {
    const master = masterOf(t, 'check-key');
    assertProblem(
      await checked(master, {}, ['--ssh_key', 'nobody', '--timeout', PATIENCE]),
      'key pair',
      /no key pair "nobody" in us-west-2 \(--ssh_key\)/,
    );
    master.configure({ security_group: 'sg-00000000000000bad' });
    assertProblem(await checked(master), 'network', /no security group sg-00000000000000bad/);
  });

  test('an external address that nobody on the internet has', { skip }, async t => {
    const master = masterOf(t, 'check-address', { options: { external_ip: '192.168.1.5' } });
    assertProblem(await checked(master), 'network', /192\.168\.1\.5, a private address[\s\S]*conf:\d+/);
  });

  test('a wrong clock: the topics of EC2 say why they were not checked, the others go on', {
    skip,
  }, async t => {
    const master = masterOf(t, 'check-clock');
    await master.account.fault({
      action: '.*',
      code: 'RequestExpired',
      message: 'Request has expired.',
      count: 99,
    });
    const url = await serve(
      t,
      (_, response) =>
        void response.writeHead(400, { date: new Date(Date.now() - 3_600_000).toUTCString() }).end(),
    );
    const expired = await checked(master);
    assertProblem(expired, 'credentials', /RequestExpired[\s\S]*\n {4}timedatectl set-ntp true/);
    assert.equal(about(expired, 'image')[0]?.message, 'not checked: AWS rejects the credentials');
    assert.ok(about(expired, 'mod_status').some(({ verdict }) => verdict === 'ok'));

    const ahead = await checked(master, { AWS_ENDPOINT_URL_EC2: url });
    assert.match(about(ahead, 'clock')[0]?.message ?? '', /60 min ahead of AWS's/);
    assert.equal(about(ahead, 'clock')[0]?.verdict, 'problem');
  });

  test('no credentials: topics that need none are checked all the same', { skip }, async t => {
    const report = await checked(masterOf(t, 'check-keyless'), {
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
    });
    assertProblem(report, 'credentials', /No credentials were found in the options[\s\S]*ACCESS_KEY=KEY/);
    for (const topic of ['permissions', 'image', 'instance type', 'price', 'leftovers']) {
      assert.deepEqual(
        about(report, topic).map(({ verdict, message }) => `${verdict}: ${message}`),
        ['skipped: not checked: no credentials'],
        topic,
      );
    }
    for (const topic of ['mod_status', 'farm file', 'region', 'clock', 'snapshots']) {
      assert.equal(about(report, topic)[0]?.verdict, 'ok', topic);
    }
  });

  test('whose the credentials are, as STS says', { skip }, async t => {
    const signed: (string | undefined)[] = [];
    const sts = await serve(t, ({ headers }, response) => {
      signed.push(headers.authorization);
      response.end('<R><Arn>arn:aws:iam::123456789012:user/gbrowse</Arn><Account>123456789012</Account></R>');
    });
    const report = await checked(masterOf(t, 'check-sts'), { AWS_ENDPOINT_URL_STS: sts });
    assert.match(
      about(report, 'credentials')[0]?.message ?? '',
      /^arn:aws:iam::123456789012:user\/gbrowse, account 123456789012, with AKIACHECKSTS from AWS_ACCESS_KEY_ID/,
    );
    assert.match(signed.join(), /Credential=AKIACHECKSTS\/\d{8}\/us-west-2\/sts\/aws4_request/);
  });

  test('an EC2 that hangs: the rest is said, and the command ends', { skip }, async t => {
    const master = masterOf(t, 'check-hang');
    await master.account.fault({ action: 'DescribeImages', hang: 60, count: 99 });
    const report = await checked(master, {}, ['--timeout', '20']);
    assert.equal(report.status, 1);
    const [{ verdict, message } = { verdict: undefined, message: '' }] = about(report, 'image');
    assert.equal(verdict, 'problem');
    assert.match(message, /no answer (in time|within the time limit)/i);
    for (const topic of ['configuration', 'farm file']) assert.equal(about(report, topic)[0]?.verdict, 'ok');
  });
});

describe('the configuration', () => {
  test('reports every mistake in it at once, and what depends on it is not checked', { skip }, async t => {
    const master = masterOf(t, 'check-mistakes', {
      options: { spot_bid: 'much', poll_interval: 'often', sgroup: 'sg-1' },
    });
    const report = await checked(master);
    assertProblem(
      report,
      'configuration',
      /conf:\d+: poll_interval is "often"[\s\S]*conf:\d+: spot_bid is "much"/,
    );
    assert.ok(
      about(report, 'configuration').some(
        ({ verdict, message }) => verdict === 'warning' && /sgroup/.test(message),
      ),
    );
    assert.equal(about(report, 'image')[0]?.verdict, 'skipped');
  });

  test('whose mistakes keep the one topic from being checked that was asked for', { skip }, async t => {
    const master = masterOf(t, 'check-topic', { statusUrl: 'ftp://localhost/server-status' });
    const report = await checked(master, {}, ['--topic', 'mod_status', '--timeout', PATIENCE]);
    assertProblem(report, 'configuration', /server_status_url/);
    assert.deepEqual(
      about(report, 'mod_status').map(({ verdict }) => verdict),
      ['skipped'],
    );
  });

  test('that is not there, and a wrong command line', { skip }, async t => {
    const master = masterOf(t, 'check-none');
    const none = master.run(['check', '--conf', '/nonexistent.conf']);
    assert.equal(await none.ended(), 1);
    assert.match(
      none.stdout(),
      /^problem {2}configuration {2}\/nonexistent\.conf: there is no such file\.$/m,
    );
    for (const words of [
      ['--pidfile', '/x'],
      ['--timeout', 'long'],
      ['--timeout', '0'],
      ['--topic', 'weather'],
    ]) {
      assert.equal(await master.run(['check', ...words]).ended(), 2, words.join(' '));
    }
  });

  test('a user that this machine does not have', { skip }, async t => {
    const report = await checked(masterOf(t, 'check-user'), {}, [
      '--user',
      'nobody-of-that-name',
      '--timeout',
      PATIENCE,
    ]);
    assertProblem(
      report,
      'user',
      /no user nobody-of-that-name \(--user\)[\s\S]*\n?\s+adduser --system[^\n]* --no-create-home/,
    );
  });
});

/** A web server of the test's own. */
async function serve(t: { after(end: () => unknown): void }, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  return `http://127.0.0.1:${address.port}`;
}
