import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type PolicyHolder, policyCommands } from '../../src/iam/commands.ts';
import { policyFor, policyText } from '../../src/iam/policy.ts';

/** Writes down the words of each call, and the documents that they name. */
const AWS = `#!/bin/sh
printf '%s\\n' "$*" >> calls
for word; do
  case $word in file://*) test -s "\${word#file://}" || exit 9 ;; esac
done
case $* in
  *create-policy*) echo arn:aws:iam::123456789012:policy/it ;;
  *get-caller-identity*) echo 210987654321 ;;
esac
`;

/** Runs the commands in a shell in which neither `aws` nor `sleep` is the real one. */
function run(t: TestContext, holder: PolicyHolder) {
  const directory = mkdtempSync(path.join(tmpdir(), 'iam-commands-'));
  t.after(() => rmSync(directory, { recursive: true }));
  writeFileSync(path.join(directory, 'aws'), AWS, { mode: 0o755 });
  writeFileSync(path.join(directory, 'sleep'), '#!/bin/sh\n', { mode: 0o755 });
  const policy = policyText(
    policyFor({ ...holder, instanceTypes: ['m5.large'], dataSnapshots: [], sync: true }),
  );
  const { status, stderr } = spawnSync('sh', ['-s'], {
    cwd: directory,
    input: policyCommands(policy, holder),
    encoding: 'utf8',
    env: { PATH: `${directory}:/usr/bin:/bin` },
  });
  assert.deepEqual([status, stderr], [0, '']);
  const read = (name: string) => readFileSync(path.join(directory, name), 'utf8');
  assert.equal(read('policy.json'), policy);
  return { calls: read('calls').trim().split('\n'), trust: () => JSON.parse(read('trust.json')) };
}

const POLICY = 'arn:aws:iam::123456789012:policy/it';

describe('the commands for a policy', () => {
  it('make a role with trust policy and instance profile for a master on EC2', t => {
    const { calls, trust } = run(t, { master: 'i-0abc', region: 'us-west-2', instanceId: 'i-0abc' });
    const name = 'gbrowse-aws-balancer-i-0abc';
    assert.deepEqual(calls, [
      `iam create-policy --policy-name ${name} --policy-document file://policy.json --query Policy.Arn --output text`,
      `iam create-role --role-name ${name} --assume-role-policy-document file://trust.json`,
      `iam attach-role-policy --role-name ${name} --policy-arn ${POLICY}`,
      `iam create-instance-profile --instance-profile-name ${name}`,
      `iam add-role-to-instance-profile --instance-profile-name ${name} --role-name ${name}`,
      `iam wait instance-profile-exists --instance-profile-name ${name}`,
      `ec2 associate-iam-instance-profile --region us-west-2 --instance-id i-0abc --iam-instance-profile Name=${name}`,
    ]);
    assert.equal(trust().Statement[0].Principal.Service, 'ec2.amazonaws.com');
  });

  it('make a user with an access key for a master elsewhere', t => {
    const { calls } = run(t, { master: 'fly', region: 'us-west-2' });
    assert.deepEqual(calls.slice(1), [
      'iam create-user --user-name gbrowse-aws-balancer-fly',
      `iam attach-user-policy --user-name gbrowse-aws-balancer-fly --policy-arn ${POLICY}`,
      'iam create-access-key --user-name gbrowse-aws-balancer-fly',
    ]);
  });

  it("let EC2's role for spot instances use a KMS key", t => {
    const key = 'arn:aws-cn:kms:cn-north-1:123456789012:key/1';
    const { calls } = run(t, { master: 'fly', region: 'cn-north-1', kmsKey: key });
    assert.equal(calls.at(-2), 'sts get-caller-identity --query Account --output text');
    assert.match(
      calls.at(-1) ?? '',
      new RegExp(
        `^kms create-grant --region cn-north-1 --key-id ${key} --grantee-principal arn:aws-cn:iam::210987654321:role/\\S+/AWSServiceRoleForEC2Spot --operations .*GenerateDataKeyWithoutPlaintext`,
      ),
    );
  });

  it('name what they make as IAM and the shell take it, whatever the master is called', t => {
    for (const master of ['web: Zürich / 1', 'x'.repeat(256), '$(id)`;', "it's"]) {
      const { calls } = run(t, { master, region: 'us-west-2' });
      assert.match(calls[1] ?? '', /^iam create-user --user-name [\w+=,.@-]{1,64}$/);
    }
  });
});
