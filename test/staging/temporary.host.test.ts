import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import type { Ec2 } from '../../src/ec2/api.ts';
import { Ec2Error } from '../../src/ec2/errors.ts';
import { findProgram } from '../../src/os/command.ts';
import { createPhases } from '../../src/staging/phases.ts';
import { type Launch, withTemporaryInstance } from '../../src/staging/temporary.ts';
import { notAlone } from '../peers/own-namespaces.ts';

if (notAlone === false) execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', '/run']);
const skip = notAlone || (findProgram('ssh-keygen') === undefined && 'openssh-client is not installed');

const RUN = { master: 'master', id: 'run' };
const LAUNCH: Launch = {
  imageId: 'ami-1',
  devices: [],
  instanceTypes: ['m5.large'],
  placements: [{ subnetId: 'subnet-a', vpcId: 'vpc-1', availabilityZone: 'us-west-2a' }],
  reach: 'public',
  admitted: '192.0.2.1',
  login: 'admin',
  orphanTimeout: 3_600_000,
  // Nobody answers, so one try is enough.
  connectLimit: 0,
};

/** An EC2 with an instance that no ssh reaches, and what was asked of it. */
function account(answers: Readonly<Record<string, () => unknown>> = {}) {
  const actions: string[] = [];
  let ended = false;
  const known: Readonly<Record<string, () => unknown>> = {
    CreateSecurityGroup: () => ({ GroupId: 'sg-1' }),
    DescribeSecurityGroups: () => ({ SecurityGroups: [{ GroupId: 'sg-1' }] }),
    DescribeInstances: () => ({
      Reservations: [
        {
          Instances: [
            {
              InstanceId: 'i-1',
              InstanceType: 'm5.large',
              State: { Name: ended ? 'terminated' : 'running' },
              PublicIpAddress: '127.0.0.1',
            },
          ],
        },
      ],
    }),
    TerminateInstances: () => {
      ended = true;
      return {};
    },
    ...answers,
  };
  const ec2 = (async (action: string) => {
    actions.push(action);
    return known[action]?.() ?? {};
  }) as Ec2;
  return { ec2, actions };
}

const work = (said: string[]) => ({
  use: async () => assert.fail('there is no connection'),
  undo: async () => {
    said.push('undone');
  },
});

const tools = (ec2: Ec2, warnings: string[] = []) => ({
  ec2,
  ec2Once: ec2,
  clock: systemClock,
  report: { say() {}, warn: (line: string) => void warnings.push(line), detail() {}, progress() {} },
  phases: createPhases(systemClock),
  signal: new AbortController().signal,
});

describe('a temporary instance', { skip }, () => {
  test('that cannot be reached is terminated, with its group, its results and its keys', async () => {
    const { ec2, actions } = account();
    const said: string[] = [];
    await assert.rejects(
      withTemporaryInstance(RUN, LAUNCH, tools(ec2), work(said)),
      /no ssh connection to the staging instance at 127\.0\.0\.1/,
    );
    assert.deepEqual(said, ['undone']);
    assert.deepEqual(actions.slice(-4), [
      'DescribeInstances',
      'TerminateInstances',
      'DescribeSecurityGroups',
      'DeleteSecurityGroup',
    ]);
    assert.deepEqual(readdirSync('/run/gbrowse-aws-balancer-keys'), []);
  });

  test('that EC2 does not launch leaves no group', async () => {
    const { ec2, actions } = account({
      RunInstances: () => {
        throw new Ec2Error('RunInstances', 'InsufficientInstanceCapacity', 'full', 500);
      },
      DescribeInstances: () => ({}),
    });
    await assert.rejects(withTemporaryInstance(RUN, LAUNCH, tools(ec2), work([])), /cannot launch/);
    assert.equal(actions.at(-1), 'DeleteSecurityGroup');
  });

  test('whose clean-up fails says so, and who cleans up; the first error stays the one that is told', async () => {
    const { ec2 } = account({
      TerminateInstances: () => {
        throw new Ec2Error('TerminateInstances', 'UnauthorizedOperation', 'no', 403);
      },
    });
    const warnings: string[] = [];
    await assert.rejects(
      withTemporaryInstance(RUN, LAUNCH, tools(ec2, warnings), work([])),
      /no ssh connection/,
    );
    assert.match(warnings.join('\n'), /could not be removed \(no\); "gbrowse-aws-balancer gc --yes"/);
  });
});
