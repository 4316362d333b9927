import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { BalancerActions, Ec2Action } from '../../src/ec2/api.ts';
import { createSdkEc2 } from '../../src/ec2/sdk.ts';
import {
  type Ec2Account,
  type Ec2StandIn,
  ec2Missing,
  type Fault,
  REGION,
  startEc2,
} from '../peers/ec2-stand-in.ts';
import { type ModStatus, startModStatus } from '../peers/mod-status.ts';
import { createMaster, type Master, until } from './world.ts';

const skip = ec2Missing();

type Happening = {
  readonly happens: string;
  readonly fault: Omit<Fault, 'action'>;
  /** What is said of it, after the name of the action. */
  readonly said: RegExp;
  /** What the administrator does about it, with a SIGHUP after it; the others pass by themselves. */
  readonly mended?: true;
};

const DENIED: Happening = {
  happens: 'denied',
  fault: {
    code: 'UnauthorizedOperation',
    status: 403,
    message: 'You are not authorized to perform this operation.',
  },
  said: /UnauthorizedOperation: .*allow ec2:ACTION to this user or role/,
  mended: true,
};
const UNAVAILABLE: Happening = {
  happens: 'unavailable',
  fault: { code: 'ServiceUnavailable', status: 503, message: 'The service is unavailable.' },
  said: /ServiceUnavailable/,
};
const THROTTLED: Happening = {
  happens: 'throttled',
  fault: { code: 'RequestLimitExceeded', status: 503, message: 'Request limit exceeded.' },
  said: /RequestLimitExceeded/,
  // Each wait is twice the one before: this starts over, and the test does not take minutes.
  mended: true,
};
const RESET: Happening = {
  happens: 'connection broken',
  fault: { drop: true },
  said: /NoAnswer: the connection broke \(ECONNRESET\)/,
};
const FOREIGN: Happening = {
  happens: 'answered by a captive portal',
  fault: { body: '<html><body>Sign in</body></html>', status: 200 },
  said: /ForeignAnswer: the answer does not come from EC2/,
};
const SILENCE: Happening = {
  happens: 'never answered',
  // The time limit of a call is 20 s.
  fault: { hang: 22 },
  said: /NoAnswer: no answer within the time limit/,
};

/** One call after the other meets these; then all is well. */
const ALL = [SILENCE, DENIED, UNAVAILABLE, THROTTLED, RESET];

/** What is said of them: a read is tried three times within its call, and only the last failure is told. */
function toldOf(action: string): readonly Happening[] {
  return action.startsWith('Describe') ? [SILENCE, DENIED, RESET] : ALL;
}

type Scenario = {
  /** What a call must have, if not every one is meant. */
  readonly having?: string;
  /** Makes the account such that the balancer has reason for the call. */
  readonly given?: (account: Ec2Account) => Promise<void>;
  /** It changes something: then the call may also fail after it has had its effect. */
  readonly effect?: true;
  /** It is called at the stop. */
  readonly atStop?: true;
  /** The balancer goes without, and says nothing. */
  readonly unimportant?: true;
};

/** Every action that the balancer has, and when it calls it. */
const SCENARIOS: Readonly<Record<keyof BalancerActions, Scenario>> &
  Readonly<Partial<Record<Ec2Action, Scenario>>> = {
  AuthorizeSecurityGroupIngress: { effect: true },
  CancelSpotInstanceRequests: { effect: true, atStop: true, given: account => account.request() },
  CreateFleet: { effect: true },
  CreateLaunchTemplate: { effect: true },
  CreateSecurityGroup: { effect: true },
  CreateTags: { effect: true, having: 'Tag.1.Key=gbrowse-aws-balancer:alive' },
  DeleteLaunchTemplate: { effect: true, atStop: true },
  DeleteSecurityGroup: { effect: true, atStop: true },
  DescribeImages: {},
  DescribeInstances: {},
  DescribeLaunchTemplates: {},
  DescribeRouteTables: {},
  DescribeSecurityGroups: {},
  DescribeSpotInstanceRequests: {},
  DescribeSpotPriceHistory: { unimportant: true },
  DescribeSubnets: {},
  RevokeSecurityGroupIngress: { effect: true, given: openGroup },
  TerminateInstances: { effect: true, atStop: true },
};

const ACTIONS = Object.entries(SCENARIOS).map(([action, scenario]) => ({ action, ...scenario }));
const EFFECTS = ACTIONS.filter(it => it.effect);
/** The load table's largest max, in the masters of these tests. */
const LARGEST_MAX = 3;

/** A security group of the master's that lets in an address which it had once. */
async function openGroup(account: Ec2Account): Promise<void> {
  const credentials = { accessKeyId: 'AKIASETUP', secretAccessKey: 'setup' };
  const sdk = createSdkEc2({ region: REGION, credentials });
  const [subnet] = (await account.state()).subnets;
  const { GroupId = '' } = await sdk.ec2('CreateSecurityGroup', {
    GroupName: `gbrowse-aws-balancer ${account.master}`,
    Description: 'slaves',
    VpcId: subnet?.vpc ?? '',
    TagSpecifications: [
      {
        ResourceType: 'security-group',
        Tags: [{ Key: 'gbrowse-aws-balancer:master', Value: account.master }],
      },
    ],
  });
  await sdk.ec2('AuthorizeSecurityGroupIngress', {
    GroupId,
    IpPermissions: [
      { IpProtocol: 'tcp', FromPort: 8101, ToPort: 8101, IpRanges: [{ CidrIp: '198.51.100.1/32' }] },
    ],
  });
  sdk.close();
}

describe('EC2 fails: the balancer says so, lives, and cleans up', { skip, concurrency: 40 }, () => {
  let ec2: Ec2StandIn;
  let busy: ModStatus;
  before(async () => {
    [ec2, busy] = await Promise.all([startEc2(), startModStatus(6)]);
    process.env.AWS_ENDPOINT_URL_EC2 = ec2.endpoint;
  });
  after(() => Promise.all([ec2.stop(), busy.stop()]));

  /**
   * A whole life of a balancer: it launches, serves, perhaps releases, and stops; on the way calls fail.
   *
   * @param options.expected what it has to say of them before it is told to stop, and after
   */
  async function live(
    master: Master,
    options: {
      readonly apache?: ModStatus;
      readonly expected: readonly RegExp[];
      readonly atStop: readonly RegExp[];
      readonly mending: readonly RegExp[];
    },
  ): Promise<void> {
    const { apache, expected, atStop, mending } = options;
    const balancer = master.start();
    const mended = new Set<RegExp>();
    // The administrator sees what is said, fixes it, and sends SIGHUP.
    const fix = setInterval(() => {
      for (const said of mending) {
        if (mended.has(said) || !said.test(balancer.stderr())) continue;
        mended.add(said);
        balancer.signal('SIGHUP');
      }
    }, 100);
    try {
      await master.serving(2);
      if (apache !== undefined) {
        apache.load(0);
        await master.serving(0);
      }
      for (const said of expected) await balancer.said(said);
      // A release, or a look at slaves that serve.
      await until('all is quiet', async () => {
        if (apache !== undefined) return (await master.account.state()).instances.length === 0;
        const calls = await master.account.calls('DescribeSpotInstanceRequests');
        return calls.some(it => it.status === 200);
      });
      balancer.signal('SIGTERM');
      assert.equal(await balancer.ended(), 0);
    } finally {
      clearInterval(fix);
    }
    for (const said of atStop) assert.match(balancer.stderr(), said);
    assert.deepEqual(master.farm(), []);
    assert.deepEqual(await master.account.remains(), []);
    assert.equal(await master.account.faultsLeft(), 0, 'every fault was met');
    const peak = await master.account.peak();
    assert.ok(peak <= LARGEST_MAX, `${peak} slaves at a time`);
    for (const { action } of await master.account.calls()) {
      assert.ok(Object.hasOwn(SCENARIOS, action), `there is no scenario for ${action}`);
    }
  }

  function sayingOf(action: string, { said }: Happening): RegExp {
    return new RegExp(`${action}: ${said.source.replace('ACTION', action)}`);
  }

  for (const { action, having, given, atStop, unimportant } of ACTIONS) {
    // Where the routes may not be described, the balancer takes all subnets, and says nothing.
    const deniable = action !== 'DescribeRouteTables';
    const happenings = unimportant ? [SILENCE] : ALL.filter(it => it !== DENIED || deniable);
    test(`${action} is ${happenings.map(it => it.happens).join(', then ')}`, async t => {
      const master = createMaster(t, { ec2, name: `before ${action}`, statusUrl: busy.url });
      await given?.(master.account);
      for (const { fault } of happenings) {
        await master.account.fault({ action, ...(having !== undefined && { having }), ...fault });
      }
      const told = unimportant ? [] : toldOf(action).filter(it => happenings.includes(it));
      const sayings = told.map(it => sayingOf(action, it));
      await live(master, {
        expected: atStop ? [] : sayings,
        atStop: atStop ? sayings : [],
        mending: told.filter(it => it.mended).map(it => sayingOf(action, it)),
      });
    });
  }

  for (const [count, seconds] of [
    [1, 30],
    [2, 60],
  ] as const) {
    test(`every action fails ${count === 1 ? 'once' : 'twice'}: slaves serve all the same, after waits of at most ${seconds} s`, async t => {
      const master = createMaster(t, { ec2, name: `every ${count}`, statusUrl: busy.url });
      for (const [at, { action }] of ACTIONS.filter(it => !it.atStop).entries()) {
        const { fault } = [UNAVAILABLE, THROTTLED, RESET, FOREIGN][at % 4] ?? RESET;
        await master.account.fault({ action, count, ...fault });
      }
      const balancer = master.start();
      await master.serving(2);
      const waits = [...balancer.stderr().matchAll(/next attempt in (?:(\d+) min)? ?(?:(\d+) s)?/g)].map(
        ([, minutes = 0, rest = 0]) => 60 * Number(minutes) + Number(rest),
      );
      t.diagnostic(`waits before the next attempts: ${waits.join(', ')} s`);
      assert.ok(waits.length > 0);
      // If what has succeeded began anew with each attempt, these would take 200 s.
      assert.ok(waits.reduce((sum, it) => sum + it) <= seconds, waits.join());
      balancer.signal('SIGTERM');
      assert.equal(await balancer.ended(), 0);
    });
  }

  test('draining slaves cannot be tagged: they are drained and ended all the same', async t => {
    const apache = await startModStatus(6);
    t.after(() => apache.stop());
    const options = { drain_time: '12' };
    const master = createMaster(t, { ec2, name: 'draining', statusUrl: apache.url, options });
    const happenings = ALL.filter(it => it !== SILENCE);
    const having = 'Tag.1.Key=gbrowse-aws-balancer:draining';
    for (const { fault } of happenings)
      await master.account.fault({ action: 'CreateTags', having, ...fault });
    const expected = happenings.map(it => sayingOf('CreateTags', it));
    await live(master, { apache, expected, atStop: [], mending: expected });
  });

  for (const happening of [UNAVAILABLE, RESET, FOREIGN]) {
    // A group that is there already is not made: not all calls are made in one life.
    for (const absent of ['CreateSecurityGroup', 'RevokeSecurityGroupIngress']) {
      test(`every call that changes something but ${absent} does so, and is ${happening.happens} all the same`, async t => {
        const name = `after ${happening.happens} without ${absent}`;
        const master = createMaster(t, { ec2, name, statusUrl: busy.url });
        const effects = EFFECTS.filter(it => it.action !== absent);
        for (const { action, having, given } of effects) {
          await given?.(master.account);
          const fault = { ...happening.fault, ...(having !== undefined && { having }) };
          await master.account.fault({ action, after: true, ...fault });
        }
        const sayings = (atStop: boolean) =>
          effects.filter(it => (it.atStop ?? false) === atStop).map(it => sayingOf(it.action, happening));
        // Each wait for the next try is twice the one before; a SIGHUP in between starts over.
        const mending = [sayingOf('CreateLaunchTemplate', happening)];
        await live(master, { expected: sayings(false), atStop: sayings(true), mending });
      });
    }
  }

  for (const { action, having, given, atStop = false } of EFFECTS) {
    test(`${action} does what it should, and is never answered`, async t => {
      const master = createMaster(t, { ec2, name: `after ${action}`, statusUrl: busy.url });
      await given?.(master.account);
      const fault = { ...SILENCE.fault, ...(having !== undefined && { having }) };
      await master.account.fault({ action, after: true, ...fault });
      const sayings = [sayingOf(action, SILENCE)];
      // That slaves have ended is seen before the answer is given up.
      const seen = action === 'TerminateInstances';
      await live(master, {
        expected: atStop ? [] : sayings,
        atStop: atStop && !seen ? sayings : [],
        mending: [],
      });
      assert.equal(
        (await master.account.state({ ended: true })).instances.length,
        2,
        'nothing was done twice',
      );
    });
  }

  test('credentials that EC2 does not know: it says what to check', async t => {
    const master = createMaster(t, { ec2, name: 'unknown-key', statusUrl: busy.url });
    const message = 'AWS was not able to validate the provided access credentials';
    await master.account.fault({ action: '.*', code: 'AuthFailure', status: 401, message, count: 1000 });
    const balancer = master.start();
    await balancer.said(/AuthFailure: AWS was not able .*check the access key and secret key/);
    balancer.signal('SIGTERM');
    assert.equal(await balancer.ended(), 1);
    assert.match(balancer.stderr(), /not everything could be removed/);
  });
});
