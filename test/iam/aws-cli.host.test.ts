import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type PolicyHolder, policyCommands } from '../../src/iam/commands.ts';
import { policyFor, policyText } from '../../src/iam/policy.ts';
import { findPython } from '../peers/ec2-stand-in.ts';
import { findMotoServer, type Moto, REGION, startMoto } from '../peers/moto.ts';
import { until } from '../peers/until.ts';

const python = findPython();
const server = findMotoServer();
/** What `aws` is: asks the process that has the description of the services. */
const CLIENT = `import json, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect(os.path.join(os.path.dirname(sys.argv[0]), 'socket'))
server.sendall(json.dumps({'directory': os.getcwd(), 'words': sys.argv[1:]}).encode() + b'\\n')
answer = json.loads(server.makefile().readline())
sys.stdout.write(answer['stdout'])
sys.stderr.write(answer['stderr'])
sys.exit(answer['status'])
`;
const CLI = path.resolve(import.meta.dirname, '../peers/aws_cli.py');

describe('the commands for a policy, in an AWS account', { skip: server === undefined && 'no moto' }, () => {
  let moto: Moto;
  let directory: string;
  let cli: ChildProcess;
  before(async () => {
    moto = await startMoto(server ?? '');
    directory = mkdtempSync(path.join(tmpdir(), 'aws-cli-'));
    writeFileSync(path.join(directory, 'aws'), `#!${python} -IS\n${CLIENT}`, { mode: 0o755 });
    const socket = path.join(directory, 'socket');
    cli = spawn(`${python}`, ['-B', CLI, socket], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...moto.environment, AWS_ENDPOINT_URL: moto.endpoint },
    });
    await until('the stand-in for the CLI listens', () => existsSync(socket));
    writeFileSync(path.join(directory, 'sleep'), '#!/bin/sh\n', { mode: 0o755 });
  });
  after(async () => {
    cli?.kill();
    await moto?.stop();
    rmSync(directory, { recursive: true });
  });

  /** Runs commands in a shell as somebody who may change IAM. */
  function shell(commands: string): string {
    const { status, stdout, stderr } = spawnSync('sh', ['-s'], {
      cwd: directory,
      input: commands,
      encoding: 'utf8',
      env: { PATH: `${directory}:/usr/bin:/bin` },
    });
    assert.deepEqual([status, stderr], [0, ''], commands);
    return stdout;
  }
  const ask = (command: string) => JSON.parse(shell(`aws ${command}`));
  const commandsOf = (holder: PolicyHolder) =>
    policyCommands(
      policyText(
        policyFor({ ...holder, instanceTypes: ['m5.large'], dataSnapshots: [], sync: true, image: true }),
      ),
      holder,
    );

  it('give an instance without a role one, with the policy', () => {
    const [{ InstanceId: instanceId }] = ask(
      `ec2 run-instances --region ${REGION} --image-id ${moto.image} --min-count 1 --max-count 1`,
    ).Instances;
    shell(commandsOf({ master: instanceId, region: REGION, instanceId }));
    const name = `gbrowse-aws-balancer-${instanceId}`;
    const [association] = ask(
      `ec2 describe-iam-instance-profile-associations --region ${REGION}`,
    ).IamInstanceProfileAssociations;
    assert.equal(association.InstanceId, instanceId);
    assert.ok(association.IamInstanceProfile.Arn.endsWith(`:instance-profile/${name}`));
    const { InstanceProfile } = ask(`iam get-instance-profile --instance-profile-name ${name}`);
    assert.deepEqual(
      InstanceProfile.Roles.map((it: { RoleName: string }) => it.RoleName),
      [name],
    );
    const [policy] = ask(`iam list-attached-role-policies --role-name ${name}`).AttachedPolicies;
    assert.equal(policy.PolicyName, name);
  });

  it('give the role that an instance has the policy, and no second profile, which EC2 would refuse', () => {
    shell(
      `echo '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}' >t.json
aws iam create-role --role-name web --assume-role-policy-document file://t.json`,
    );
    shell(commandsOf({ master: 'web', region: REGION, instanceId: 'i-0123456789abcdef0', role: 'web' }));
    const [policy] = ask('iam list-attached-role-policies --role-name web').AttachedPolicies;
    assert.equal(policy.PolicyName, 'gbrowse-aws-balancer-web');
  });

  it('give a master elsewhere a user with the policy and an access key, and EC2’s own role the KMS key', () => {
    const { Arn: kmsKey } = ask(`kms create-key --region ${REGION}`).KeyMetadata;
    const shown = shell(commandsOf({ master: 'fly', region: REGION, kmsKey }));
    const name = 'gbrowse-aws-balancer-fly';
    assert.match(shown, /"SecretAccessKey": "\S+"/);
    assert.equal(ask(`iam list-access-keys --user-name ${name}`).AccessKeyMetadata.length, 1);
    const [policy] = ask(`iam list-attached-user-policies --user-name ${name}`).AttachedPolicies;
    assert.equal(policy.PolicyName, name);
    const [grant] = ask(`kms list-grants --region ${REGION} --key-id ${kmsKey}`).Grants;
    assert.match(
      grant.GranteePrincipal,
      /:role\/aws-service-role\/spot\.amazonaws\.com\/AWSServiceRoleForEC2Spot$/,
    );
    assert.equal(grant.Operations.length, 8);
  });

  it('are refused by the stand-in for the CLI where an option or a value is wrong', () => {
    for (const [command, reason] of [
      ['iam create-user --username x', 'no option --username'],
      ['iam create-user --user-name "a b"', 'does not match'],
      ['ec2 associate-iam-instance-profile --instance-id i-1 --iam-instance-profile Nam=x', 'has no Nam'],
    ] as const) {
      assert.throws(() => shell(`aws ${command}`), new RegExp(reason));
    }
  });
});
