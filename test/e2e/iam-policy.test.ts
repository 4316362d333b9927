import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Policy } from '../../src/iam/policy.ts';
import { type Account, authorizationsOf } from '../iam/authorizations.ts';
import { type Authorization, refused } from '../iam/evaluator.ts';
import { type Ec2StandIn, type Ec2State, ec2Missing, REGION, startEc2 } from '../peers/ec2-stand-in.ts';
import { type ModStatus, startModStatus } from '../peers/mod-status.ts';
import { createMaster, type Master, until } from './world.ts';

const skip = ec2Missing();

let ec2: Ec2StandIn;
let apache: ModStatus;
before(async () => {
  if (skip === false) [ec2, apache] = await Promise.all([startEc2(), startModStatus(6)]);
});
after(() => Promise.all([ec2?.stop(), apache?.stop()]));

/** The tags of what the master had when it had most, for AWS's question whose something is. */
function tagsIn({ instances, requests, groups, templates, volumes }: Ec2State): Account['tags'] {
  const all = [...instances, ...requests, ...groups, ...templates, ...volumes];
  return new Map(all.map(({ id, tags }) => [id, tags]));
}

async function policyOf(master: Master, ...words: readonly string[]): Promise<Policy> {
  // No credentials are needed.
  const { PATH, HOME, AWS_EC2_METADATA_DISABLED } = master.environment;
  const command = master.run(['iam-policy', '--conf', master.confFile, ...words], {
    PATH,
    HOME,
    AWS_EC2_METADATA_DISABLED,
  });
  assert.equal(await command.ended(), 0, command.stderr());
  return JSON.parse(command.stdout());
}

test("the policy allows every call of a balancer and of check, from the first to the last, and no other master's", {
  skip,
}, async t => {
  const master = createMaster(t, { ec2, name: 'iam', statusUrl: apache.url });
  // Before the first start there is nothing of the master's own, afterwards there is some of everything.
  const early = master.run(['check', '--timeout', '80', '--conf', master.confFile], checkEnvironment(master));
  await early.ended();
  const balancer = master.start();
  await master.serving(2);
  const late = master.run(['check', '--timeout', '80', '--conf', master.confFile], checkEnvironment(master));
  await late.ended();
  const state = await master.account.state();
  apache.load(0);
  await until('a slave drains', async () => (await master.account.calls('CreateTags')).some(isDraining));
  balancer.signal('SIGTERM');
  assert.equal(await balancer.ended(), 0);

  const calls = await master.account.calls();
  const templates = new Map(
    state.templates.map(({ id, name }) => [
      id,
      calls.find(it => it.action === 'CreateLaunchTemplate' && it.parameters.LaunchTemplateName === name)
        ?.parameters ?? {},
    ]),
  );
  const account: Account = { region: REGION, tags: tagsIn(state), templates };
  const questions: Authorization[] = [];
  for (const call of calls) {
    // A trial with what does not exist is answered before AWS looks at permissions, or is known to say nothing.
    if (/00000000000000000/.test(Object.values(call.parameters).join(' '))) continue;
    if (call.action === 'RunInstances' && call.parameters['SecurityGroupId.1'] === undefined) continue;
    questions.push(...(await authorizationsOf(call, account)));
  }
  assert.ok(questions.length > 100, `${questions.length} questions`);
  for (const action of [
    'CreateFleet',
    'RunInstances',
    'CreateTags',
    'TerminateInstances',
    'DeleteVolume',
    'DeleteSecurityGroup',
  ]) {
    assert.ok(
      questions.some(it => it.action === `ec2:${action}`),
      action,
    );
  }
  assert.deepEqual(await refused(await policyOf(master), questions), []);
  assert.deepEqual(await refused(await policyOf(master, '--sync'), questions), []);

  // With the policy of a master of another name, only looking is left, and what belongs to nobody.
  master.configure({ name: 'other' });
  const no = await refused(await policyOf(master), questions);
  const changes = new Set(no.map(({ action }) => action));
  for (const { action } of questions) {
    assert.equal(changes.has(action), !/^ec2:(Describe|GetEbs)/.test(action), action);
  }
});

/** No look-up of this machine's address on the internet. */
function checkEnvironment({ environment }: Master): NodeJS.ProcessEnv {
  return { ...environment, HTTPS_PROXY: 'http://127.0.0.1:1' };
}

function isDraining({ parameters }: { readonly parameters: Readonly<Record<string, string>> }): boolean {
  return parameters['Tag.1.Key'] === 'gbrowse-aws-balancer:draining';
}

test('a wrong configuration is said as everywhere', { skip }, async t => {
  const master = createMaster(t, {
    ec2,
    name: 'iam-wrong',
    statusUrl: apache.url,
    options: { spot_bid: 'much' },
  });
  const command = master.run(['iam-policy', '--conf', master.confFile]);
  assert.equal(await command.ended(), 2);
  assert.match(command.stderr(), /aws_balancer\.conf:\d+: spot_bid is "much"/);
  assert.equal(command.stdout(), '');
});
