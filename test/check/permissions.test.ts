import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Answer, explicitDeny, refusedResource, tryOut } from '../../src/check/permissions/try-out.ts';
import { judgeAnswers } from '../../src/check/topics/permissions.ts';
import { Ec2Error } from '../../src/ec2/errors.ts';

const DENIED =
  'You are not authorized to perform this operation. User: arn:aws:iam::123456789012:user/gbrowse is not authorized to perform: ec2:CreateFleet on resource: arn:aws:ec2:us-west-2:123456789012:RESOURCE because no identity-based policy allows the ec2:CreateFleet action. Encoded authorization failure message: abc';
const onResource = (resource: string) => DENIED.replace('RESOURCE', resource);

describe('what EC2 says to a dry run', () => {
  const cases: readonly (readonly [string, string, readonly string[], Answer['answer']])[] = [
    ['DryRunOperation', 'Request would have succeeded, but DryRun flag is set.', [], 'allowed'],
    ['UnauthorizedOperation', onResource('fleet/*'), [], 'denied'],
    ['UnauthorizedOperation', 'You are not authorized to perform this operation.', [], 'denied'],
    ['InvalidGroup.Duplicate', 'The security group already exists', [], 'allowed'],
    ['InvalidParameterValue', 'Something is wrong', [], 'unclear'],
    ['InvalidSubnetID.NotFound', 'There is no such subnet', [], 'unclear'],
    // A stand-in that does not carry the tag says nothing about what will carry it, a refusal of something else does.
    ['UnauthorizedOperation', onResource('launch-template/lt-0'), ['launch-template'], 'unsure'],
    [
      'UnauthorizedOperation',
      'You are not authorized to perform this operation.',
      ['launch-template'],
      'unsure',
    ],
    ['UnauthorizedOperation', onResource('fleet/*'), ['launch-template'], 'denied'],
  ];
  for (const [code, message, standIns, expected] of cases) {
    test(`${code}${standIns.length > 0 ? ` with a stand-in, ${refusedResource(message)}` : ''}: ${expected}`, async () => {
      const call = () => Promise.reject(new Ec2Error('CreateFleet', code, message, 400));
      const { answer } = await tryOut(() => Promise.reject(), { action: 'CreateFleet', call, standIns });
      assert.equal(answer, expected);
    });
  }

  test('no answer is none of these', async () => {
    const call = () => Promise.reject(new Ec2Error('CreateFleet', 'NoAnswer', 'no answer'));
    await assert.rejects(
      tryOut(() => Promise.reject(), { action: 'CreateFleet', call }),
      /no answer/,
    );
  });

  test('the resource that was refused, and a deny that the user cannot lift, are read out of the message', () => {
    assert.equal(refusedResource(onResource('security-group/sg-1')), 'security-group');
    assert.equal(refusedResource('You are not authorized to perform this operation.'), undefined);
    assert.equal(
      explicitDeny('… with an explicit deny in a service control policy. Encoded …'),
      'explicitly, in a service control policy',
    );
    assert.equal(
      explicitDeny('… with an explicit deny in a permissions boundary'),
      'explicitly, in a permissions boundary',
    );
    assert.equal(explicitDeny(DENIED), undefined);
  });
});

describe('what is said of the answers', () => {
  const statements = () => [{ Sid: 'LaunchWithTag' }, { Sid: 'LaunchFromOwn' }];
  const judge = (answers: readonly Answer[], untried: Parameters<typeof judgeAnswers>[1] = []) =>
    judgeAnswers(answers, untried, 'gbrowse-aws-balancer iam-policy --image --conf F', statements);

  test('all denied actions at once, with the statements that allow them and the command that prints these', () => {
    const [first, second, ...rest] = judge([
      { action: 'CreateFleet', answer: 'denied', reason: 'explicitly, in a service control policy' },
      { action: 'DescribeImages', answer: 'allowed' },
      { action: 'CreateTags', answer: 'denied' },
    ]);
    assert.deepEqual(rest, []);
    assert.match(first?.message ?? '', /1 of 3 actions are allowed/);
    assert.equal(second?.verdict, 'problem');
    assert.match(
      second?.message ?? '',
      /^Denied: CreateFleet, CreateTags \(explicitly, in a service control policy\)\.$/,
    );
    assert.match(second?.fix ?? '', /LaunchWithTag, LaunchFromOwn/);
    assert.match(second?.fix ?? '', /^ {4}gbrowse-aws-balancer iam-policy --image --conf F$/m);
  });

  test('an action that is tried in several ways counts once, and is denied if one of them is', () => {
    const [first, second] = judge([
      { action: 'RunInstances', answer: 'allowed' },
      { action: 'RunInstances', answer: 'denied' },
      { action: 'CreateTags', answer: 'allowed' },
      { action: 'CreateTags', answer: 'allowed' },
    ]);
    assert.deepEqual(first?.details?.allowed, ['CreateTags']);
    assert.match(second?.message ?? '', /^Denied: RunInstances\.$/);
  });

  test('what could not be tried is named and is no problem', () => {
    const findings = judge([{ action: 'CreateFleet', answer: 'unsure' }], ['TerminateInstances']);
    assert.deepEqual(
      findings.map(({ verdict }) => verdict),
      ['skipped'],
    );
    assert.match(findings[0]?.message ?? '', /^CreateFleet, TerminateInstances: not tried/);
  });

  test('an answer that says neither yes nor no is shown', () => {
    const [finding] = judge([
      { action: 'RunInstances', answer: 'unclear', reason: 'no such type (Unsupported)' },
    ]);
    assert.equal(finding?.verdict, 'warning');
    assert.match(finding?.message ?? '', /RunInstances is allowed: no such type \(Unsupported\)/);
  });
});
