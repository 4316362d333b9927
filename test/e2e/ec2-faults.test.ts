import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Ec2StandIn, ec2Missing, type Fault, startEc2 } from '../peers/ec2-stand-in.ts';
import { type ModStatus, startModStatus } from '../peers/mod-status.ts';
import { createMaster } from './world.ts';

const skip = ec2Missing();

type Words = Omit<Fault, 'action'>;
const UNAVAILABLE: Words = {
  code: 'ServiceUnavailable',
  status: 503,
  message: 'The service is unavailable.',
};
const THROTTLED: Words = { code: 'RequestLimitExceeded', status: 503, message: 'Request limit exceeded.' };
const RESET: Words = { drop: true };
const SILENCE: Words = { hang: 22 };
const DENIED: Words = {
  code: 'UnauthorizedOperation',
  status: 403,
  message: 'You are not authorized to perform this operation.',
};

const FAULTS = [
  ['answers 503', UNAVAILABLE, /ServiceUnavailable/],
  ['is throttled', THROTTLED, /RequestLimitExceeded/],
  ['breaks the connection', RESET, /NoAnswer/],
  ['never answers', SILENCE, /NoAnswer: no answer within the time limit/],
  ['is denied', DENIED, /UnauthorizedOperation.*allow ec2:ACTION to this user or role/],
] as const;

const ACTIONS = [
  'DescribeInstances',
  'CreateSecurityGroup',
  'CreateLaunchTemplate',
  'CreateFleet',
  'TerminateInstances',
] as const;

describe('EC2 fails: the balancer says so, lives, and cleans up', { skip, concurrency: 12 }, () => {
  let ec2: Ec2StandIn;
  let apache: ModStatus;
  before(async () => {
    [ec2, apache] = await Promise.all([startEc2(), startModStatus(6)]);
  });
  after(() => Promise.all([ec2.stop(), apache.stop()]));

  for (const action of ACTIONS) {
    for (const [happens, fault, saying] of FAULTS) {
      // The time limit of a call is 20 s: one that reads, one that launches.
      if (fault === SILENCE && !['DescribeInstances', 'CreateFleet'].includes(action)) continue;
      test(`${action} ${happens}`, async t => {
        const name = `${action}-${happens.replaceAll(' ', '-')}`;
        const master = createMaster(t, { ec2, name, statusUrl: apache.url });
        await master.account.fault({ action, ...fault });
        const said = new RegExp(`${action}: ${saying.source.replace('ACTION', action)}`);
        const balancer = master.start();
        if (action !== 'TerminateInstances') {
          await balancer.said(said);
          // The administrator has changed the policy.
          if (fault === DENIED) balancer.signal('SIGHUP');
        }
        await master.serving(2);
        balancer.signal('SIGTERM');
        assert.equal(await balancer.ended(), 0);
        assert.match(balancer.stderr(), said);
        assert.deepEqual(master.farm(), []);
        assert.deepEqual(await master.account.remains(), []);
        assert.equal((await master.account.state({ ended: true })).instances.length, 2);
      });
    }
  }

  test('credentials that EC2 does not know: it says what to check', async t => {
    const master = createMaster(t, { ec2, name: 'unknown-key', statusUrl: apache.url });
    const message = 'AWS was not able to validate the provided access credentials';
    await master.account.fault({ action: '.*', code: 'AuthFailure', status: 401, message, count: 1000 });
    const balancer = master.start();
    await balancer.said(/AuthFailure: AWS was not able .*check the access key and secret key/);
    balancer.signal('SIGTERM');
    assert.equal(await balancer.ended(), 1);
    assert.match(balancer.stderr(), /not everything could be removed/);
  });
});
