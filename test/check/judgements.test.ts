import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Image, InstanceTypeInfo, IpPermission, Snapshot } from '@aws-sdk/client-ec2';
import type { Finding } from '../../src/check/finding.ts';
import { judged } from '../../src/check/topics/clock.ts';
import { hastyPolls } from '../../src/check/topics/configuration.ts';
import { refusal } from '../../src/check/topics/credentials.ts';
import { faultsOf } from '../../src/check/topics/image.ts';
import { findingsOf } from '../../src/check/topics/instance-types.ts';
import { doubtsAbout } from '../../src/check/topics/mod-status.ts';
import { judgeGroup } from '../../src/check/topics/network.ts';
import { judgeSnapshots } from '../../src/check/topics/snapshots.ts';
import { MINUTE, SECOND } from '../../src/clock.ts';

/** One finding of that verdict whose message, or what fixes it, says this. */
function assertFound(findings: readonly Finding[], verdict: Finding['verdict'], pattern: RegExp): void {
  const found = findings.find(it => it.verdict === verdict && pattern.test(`${it.message}\n${it.fix ?? ''}`));
  assert.ok(found, `no ${verdict} with ${pattern} in ${JSON.stringify(findings, undefined, 1)}`);
}

describe('configuration', () => {
  test('a poll interval of a few seconds is warned of, unless only what is more than chance counts', () => {
    const polls = (seconds: number, releaseAfter: 'never' | 'auto' | number) =>
      hastyPolls({ pollInterval: seconds * SECOND, releaseAfter });
    assertFound(polls(6, 'never'), 'warning', /poll_interval is 6 s[\s\S]*release_after = auto/);
    for (const fine of [polls(15, 'never'), polls(30, 'never'), polls(6, 'auto'), polls(6, MINUTE)])
      assert.deepEqual(fine, []);
  });
});

describe('mod_status', () => {
  const reading = (totalAccesses: number, serverUptimeSeconds: number, restartTime = 'Sunday') => ({
    totalAccesses,
    serverUptimeSeconds,
    restartTime,
  });
  const doubts = (first: ReturnType<typeof reading>, second: ReturnType<typeof reading>) =>
    doubtsAbout({ first, second, elapsed: 1.2 });

  test('one server that counts our own request raises no doubt', () => {
    assert.deepEqual(doubts(reading(10, 100), reading(11, 101)), []);
    assert.deepEqual(doubts(reading(10, 100), reading(500, 102)), []);
  });

  test('a page from a cache does not count our request', () => {
    assertFound(doubts(reading(10, 100), reading(10, 101)), 'problem', /cache/);
    assertFound(doubts(reading(10, 100), reading(10, 100)), 'problem', /cache/);
  });

  test('two servers that answer in turn have two uptimes, or two starts', () => {
    assertFound(doubts(reading(10, 100), reading(999, 5000)), 'problem', /several servers/);
    assertFound(doubts(reading(999, 5000), reading(10, 100)), 'problem', /several servers/);
    assertFound(doubts(reading(10, 100), reading(11, 101, 'Monday')), 'problem', /several servers/);
  });
});

describe('the clock', () => {
  const cases = [
    [0, 'ok'],
    [-59 * SECOND, 'ok'],
    [90 * SECOND, 'warning'],
    [-4 * MINUTE, 'warning'],
    [6 * MINUTE, 'problem'],
    [-90 * MINUTE, 'problem'],
  ] as const;
  for (const [difference, verdict] of cases) {
    test(`${difference / SECOND} s off is ${verdict}`, () =>
      assert.equal(judged(difference).verdict, verdict));
  }
  test('it says which way, and how to set it', () => {
    const { message, fix } = judged(-90 * MINUTE);
    assert.match(message, /90 min behind AWS's/);
    assert.match(fix ?? '', /^ {4}timedatectl set-ntp true$/m);
  });
});

describe('credentials that AWS rejects', () => {
  const cases = [
    ['RequestExpired', /timedatectl/],
    ['ExpiredToken', /aws sso login/],
    ['SignatureDoesNotMatch', /secret key does not belong to this access key/],
    ['AuthFailure', /access key does not exist .*region is not enabled/],
    ['InvalidClientTokenId', /IAM console/],
    ['Blocked', /AWS console/],
    ['SomethingNew', /SomethingNew/],
  ] as const;
  for (const [code, said] of cases) {
    test(`${code} is explained`, () => {
      const finding = refusal(code, 'AWS says so', 'AKIAYEAST', 'the options');
      assertFound([finding], 'problem', said);
      assert.match(finding.message, /AKIAYEAST from the options/);
    });
  }
});

describe('the image', () => {
  const now = Date.parse('2026-11-22');
  const faults = (image: Image) => faultsOf(image, 'aws_balancer.conf:44', now);
  test('a plain one is right', () => {
    assert.deepEqual(
      faults({ State: 'available', RootDeviceType: 'ebs', DeprecationTime: '2028-01-01T00:00:00Z' }),
      [],
    );
  });
  const cases: readonly (readonly [string, Image, Finding['verdict'], RegExp])[] = [
    ['still being made', { State: 'pending' }, 'problem', /Wait/],
    ['failed', { State: 'failed' }, 'problem', /state is failed.*\n.*aws_balancer\.conf:44/],
    ['of the old kind', { RootDeviceType: 'instance-store' }, 'problem', /instance-store/],
    ['of Windows', { Platform: 'Windows' }, 'problem', /Linux/],
    ['deprecated', { DeprecationTime: '2026-01-01T00:00:00Z' }, 'warning', /deprecated it on 2026-01-01/],
    [
      'soon deprecated',
      { DeprecationTime: '2026-12-01T00:00:00Z' },
      'warning',
      /will deprecate it on 2026-12-01/,
    ],
  ];
  for (const [what, image, verdict, said] of cases) {
    test(`one that is ${what}: ${verdict}`, () => assertFound(faults(image), verdict, said));
  }
});

describe('the instance types', () => {
  const type = (name: string, more: Partial<InstanceTypeInfo> = {}): InstanceTypeInfo => ({
    // The SDK's list of names ends somewhere.
    InstanceType: name as NonNullable<InstanceTypeInfo['InstanceType']>,
    SupportedUsageClasses: ['on-demand', 'spot'],
    SupportedVirtualizationTypes: ['hvm'],
    ProcessorInfo: { SupportedArchitectures: ['x86_64'] },
    Hypervisor: 'nitro',
    ...more,
  });
  const image: Image = { Architecture: 'x86_64', VirtualizationType: 'hvm', EnaSupport: true };
  const judge = (
    wanted: readonly string[],
    offered: readonly InstanceTypeInfo[],
    of: Image | undefined = image,
  ) => findingsOf({ wanted, offered, image: of, region: 'us-west-2', place: 'aws_balancer.conf:38' });

  test('those that fit are right', () => {
    const findings = judge(['m5.large', 'm6i.large'], [type('m5.large'), type('m6i.large')]);
    assert.deepEqual(
      findings.map(({ verdict }) => verdict),
      ['ok'],
    );
  });

  const arm = type('m7g.large', { ProcessorInfo: { SupportedArchitectures: ['arm64'] } });
  const faults: readonly (readonly [string, InstanceTypeInfo[], Image, RegExp])[] = [
    ['that the region does not have', [], image, /us-west-2 does not have it/],
    ['of another architecture', [arm], image, /arm64, and the image is x86_64/],
    [
      'that are not sold as spot',
      [type('m7g.large', { SupportedUsageClasses: ['on-demand'] })],
      image,
      /not available as a spot instance/,
    ],
    [
      'that do not run paravirtual images',
      [type('m7g.large')],
      { ...image, VirtualizationType: 'paravirtual' },
      /paravirtual/,
    ],
    ['that need ENA', [type('m7g.large')], { ...image, EnaSupport: false }, /ENA/],
  ];
  for (const [what, offered, of, said] of faults) {
    test(`ones ${what}: a problem alone, a warning beside another, which the line to write names`, () => {
      assertFound(judge(['m7g.large'], offered, of), 'problem', said);
      const both = judge(
        ['m7g.large', 'i4.good'],
        [
          ...offered,
          type('i4.good', { SupportedVirtualizationTypes: ['hvm', 'paravirtual'], Hypervisor: 'xen' }),
        ],
        of,
      );
      assertFound(both, 'warning', said);
      assertFound(both, 'warning', /^ {4}instance_type = i4\.good$/m);
      assert.ok(!both.some(({ verdict }) => verdict === 'problem'));
    });
  }

  test('without an image nothing is said about it', () => {
    const findings = findingsOf({
      wanted: ['m7g.large'],
      offered: [arm],
      image: undefined,
      region: 'r',
      place: 'p',
    });
    assert.deepEqual(
      findings.map(({ verdict }) => verdict),
      ['ok', 'skipped'],
    );
  });
});

describe('the data snapshots', () => {
  const MASTER = 'gbrowse-aws-balancer:master';
  const SYNC = 'gbrowse-aws-balancer:sync';
  function snapshot(id: string, master?: string, sync?: string, more: Partial<Snapshot> = {}): Snapshot {
    const Tags = [
      ...(master === undefined ? [] : [{ Key: MASTER, Value: master }]),
      ...(sync === undefined ? [] : [{ Key: SYNC, Value: sync }]),
    ];
    return { SnapshotId: id, State: 'completed', VolumeSize: 10, StartTime: new Date(0), Tags, ...more };
  }
  const judge = (wanted: readonly string[], found: readonly Snapshot[]) =>
    judgeSnapshots({
      wanted,
      found,
      master: 'yeast',
      place: 'aws_balancer.conf:46',
      file: 'aws_balancer.conf',
    });

  test('of one sync, complete: all is well, and their size and age are said', () => {
    const findings = judge(
      ['snap-1', 'snap-2'],
      [snapshot('snap-1', 'yeast', 'a'), snapshot('snap-2', 'yeast', 'a')],
    );
    assert.deepEqual(
      findings.map(({ verdict }) => verdict),
      ['ok'],
    );
    assert.match(findings[0]?.message ?? '', /2 snapshots, 20 GiB, of 1970-01-01, complete, of one sync/);
  });
  test('made by hand: all is well too', () => {
    assertFound(judge(['snap-1'], [snapshot('snap-1')]), 'ok', /not made by sync/);
  });
  const cases: readonly (readonly [string, readonly Snapshot[], Finding['verdict'], RegExp])[] = [
    [
      'one is missing',
      [snapshot('snap-1')],
      'problem',
      /snap-2: not in this region.*\n.*\n {4}gbrowse-aws-balancer sync --conf aws_balancer\.conf/,
    ],
    [
      'one is not complete',
      [snapshot('snap-1'), snapshot('snap-2', undefined, undefined, { State: 'pending', Progress: '42%' })],
      'problem',
      /42% complete/,
    ],
    [
      'one has failed',
      [snapshot('snap-1'), snapshot('snap-2', undefined, undefined, { State: 'error' })],
      'problem',
      /state error/,
    ],
    [
      'they are of two syncs',
      [snapshot('snap-1', 'yeast', 'a'), snapshot('snap-2', 'yeast', 'b')],
      'warning',
      /one sync/,
    ],
    [
      'one is of a sync, one by hand',
      [snapshot('snap-1', 'yeast', 'a'), snapshot('snap-2')],
      'warning',
      /one sync/,
    ],
    [
      'they are of another master',
      [snapshot('snap-1', 'worm', 'a'), snapshot('snap-2', 'worm', 'a')],
      'warning',
      /master "worm"/,
    ],
  ];
  for (const [what, found, verdict, said] of cases) {
    test(`${what}: ${verdict}`, () => assertFound(judge(['snap-1', 'snap-2'], found), verdict, said));
  }
});

describe("a security group of the administrator's own", () => {
  const rule = (cidr: string, from = 8101, to = from, protocol = 'tcp'): IpPermission => ({
    IpProtocol: protocol,
    FromPort: from,
    ToPort: to,
    ...(cidr.includes(':') ? { Ipv6Ranges: [{ CidrIpv6: cidr }] } : { IpRanges: [{ CidrIp: cidr }] }),
  });
  const judge = (rules: readonly IpPermission[], address: string | undefined = '192.0.2.1') =>
    judgeGroup({ groupId: 'sg-1', rules, ports: [8101, 8102], address, place: 'aws_balancer.conf:49' });

  const right: readonly (readonly [string, readonly IpPermission[], string])[] = [
    ['a rule for each port', [rule('192.0.2.1/32'), rule('192.0.2.1/32', 8102)], '192.0.2.1'],
    ['a rule for both', [rule('192.0.2.0/24', 8100, 8200)], '192.0.2.1'],
    [
      'a rule for every protocol',
      [{ IpProtocol: '-1', IpRanges: [{ CidrIp: '192.0.2.1/32' }] }],
      '192.0.2.1',
    ],
    ['a rule for IPv6', [rule('2001:db8::/32', 1, 65535)], '2001:db8::1'],
    [
      'a rule for a group',
      [{ IpProtocol: 'tcp', FromPort: 8101, ToPort: 8102, UserIdGroupPairs: [{ GroupId: 'sg-2' }] }],
      '10.0.0.1',
    ],
  ];
  for (const [what, rules, address] of right) {
    test(`${what} is right`, () =>
      assert.deepEqual(
        judge(rules, address).map(it => it.verdict),
        ['ok'],
      ));
  }
  const wrong: readonly (readonly [string, readonly IpPermission[], RegExp])[] = [
    [
      'none',
      [],
      /does not let the master connect to 8101, 8102.*\n {4}aws ec2 .* --port 8101 --cidr 192\.0\.2\.1\/32\n {4}aws ec2 .* --port 8102/,
    ],
    ['one for another address', [rule('192.0.2.2/32', 8101, 8102)], /8101, 8102/],
    ['one for UDP', [rule('192.0.2.1/32', 8101, 8102, 'udp')], /8101, 8102/],
    ['one for one port alone', [rule('192.0.2.1/32')], /connect to 8102:/],
    [
      'one for everybody',
      [rule('0.0.0.0/0', 8000, 9000)],
      /lets everybody connect to 8101, 8102: .*run code/,
    ],
    [
      'one for everybody with IPv6',
      [rule('::/0'), rule('192.0.2.1/32', 8102)],
      /lets everybody connect to 8101:/,
    ],
  ];
  for (const [what, rules, said] of wrong) {
    test(`${what} is a problem`, () => assertFound(judge(rules), 'problem', said));
  }
});
