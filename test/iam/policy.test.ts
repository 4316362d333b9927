import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { OPTIONS } from '../../src/config/options.ts';
import {
  LONGEST_POLICY,
  type Policy,
  type PolicySubject,
  policyFor,
  policyText,
  statementsFor,
} from '../../src/iam/policy.ts';
import { type Account, authorizationsOf, type WireCall } from './authorizations.ts';
import { type Authorization, arnOf, isAllowed, refused, requiredResources } from './evaluator.ts';

const REGION = 'us-west-2';
const MASTER = 'gbrowse-aws-balancer:master';
const SUBJECT: PolicySubject = {
  master: 'yeast',
  region: REGION,
  sync: false,
  instanceTypes: ['m5.large', 'm6i.large'],
  dataSnapshots: ['snap-0'],
};

const policy = policyFor(SUBJECT);
const withSync = policyFor({ ...SUBJECT, sync: true });
const withImage = policyFor({ ...SUBJECT, image: true });
const withAll = policyFor({ ...SUBJECT, sync: true, image: true });

const OURS = { [MASTER]: 'yeast', Name: 'GBrowse Slave' };
const THEIRS = { [MASTER]: 'worm' };

/** Everything there is twice in this account, ours and another master's; `…0` carries no tag of ours at all. */
const account: Account = {
  region: REGION,
  tags: new Map<string, Readonly<Record<string, string>>>([
    ...['i', 'lt', 'sg', 'sir', 'vol', 'snap', 'key', 'ami'].flatMap(kind => [
      [`${kind}-1`, OURS] as const,
      [`${kind}-2`, THEIRS] as const,
      [`${kind}-0`, { Name: 'payroll' }] as const,
    ]),
    ['lt-3', OURS],
  ]),
  templates: new Map([
    ['lt-1', templateFrom('sg-1')],
    ['lt-2', templateFrom('sg-1')],
    ['lt-0', templateFrom('sg-1')],
    ['lt-3', onDemandTemplate()],
  ]),
};

/** The template of slaves on demand has no tags for a spot request. */
function onDemandTemplate(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(templateFrom('sg-1')).filter(([key]) => !key.includes('TagSpecification.4')),
  );
}

function templateFrom(group: string, more: Readonly<Record<string, string>> = {}) {
  return {
    'LaunchTemplateData.ImageId': 'ami-1',
    'LaunchTemplateData.SecurityGroupId.1': group,
    'LaunchTemplateData.BlockDeviceMapping.1.Ebs.SnapshotId': 'snap-0',
    ...tagged('LaunchTemplateData.TagSpecification', {
      instance: 'yeast',
      volume: 'yeast',
      'network-interface': 'yeast',
      'spot-instances-request': 'yeast',
    }),
    ...more,
  };
}

/** Tag specifications on the wire: by type of resource the value of the ownership tag. */
function tagged(prefix: string, owners: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(owners).flatMap(([type, owner], at) => [
      [`${prefix}.${at + 1}.ResourceType`, type],
      [`${prefix}.${at + 1}.Tag.1.Key`, MASTER],
      [`${prefix}.${at + 1}.Tag.1.Value`, owner],
    ]),
  );
}

function fleet(template: string, owner: string | undefined, market = 'spot'): WireCall {
  return {
    action: 'CreateFleet',
    parameters: {
      'LaunchTemplateConfigs.1.LaunchTemplateSpecification.LaunchTemplateId': template,
      'LaunchTemplateConfigs.1.Overrides.1.SubnetId': 'subnet-1',
      'LaunchTemplateConfigs.1.Overrides.1.InstanceType': 'm6i.large',
      'TargetCapacitySpecification.DefaultTargetCapacityType': market,
      ...(owner !== undefined && tagged('TagSpecification', { fleet: owner, instance: owner })),
    },
  };
}

function instance(owners: Readonly<Record<string, string>>, more: Readonly<Record<string, string>> = {}) {
  return {
    action: 'RunInstances',
    parameters: {
      ImageId: 'ami-1',
      InstanceType: 'm5.large',
      SubnetId: 'subnet-1',
      'SecurityGroupId.1': 'sg-1',
      ...tagged('TagSpecification', owners),
      ...more,
    },
  };
}

const group = (owner?: string) => ({
  action: 'CreateSecurityGroup',
  parameters: {
    VpcId: 'vpc-1',
    ...(owner !== undefined && tagged('TagSpecification', { 'security-group': owner })),
  },
});

const mark = (id: string, key: string) => ({
  action: 'CreateTags',
  parameters: { 'ResourceId.1': id, 'Tag.1.Key': key, 'Tag.1.Value': 'now' },
});

const on = (action: string, parameter: string, id: string) => ({ action, parameters: { [parameter]: id } });

const ALL_OURS = { instance: 'yeast', volume: 'yeast', 'network-interface': 'yeast' };

const allowed = (of: Policy, call: WireCall) =>
  authorizationsOf(call, account).then(async questions => {
    assert.ok(questions.length > 0);
    return (await refused(of, questions)).length === 0;
  });

describe('the policy allows what a master does', () => {
  const calls: readonly (readonly [string, WireCall])[] = [
    ['look at everything in its region', on('DescribeInstances', 'InstanceId.1', 'i-0')],
    [
      'make a launch template of its own',
      {
        action: 'CreateLaunchTemplate',
        parameters: {
          ...templateFrom('sg-1'),
          ...tagged('TagSpecification', { 'launch-template': 'yeast' }),
        },
      },
    ],
    ['make a security group of its own', group('yeast')],
    ['open and close a port of it', on('AuthorizeSecurityGroupIngress', 'GroupId', 'sg-1')],
    ['close a port of it', on('RevokeSecurityGroupIngress', 'GroupId', 'sg-1')],
    ['launch a fleet with its tags', fleet('lt-1', 'yeast')],
    ['write down since when a slave drains', mark('i-1', 'gbrowse-aws-balancer:draining')],
    ['write the activity tag', mark('lt-1', 'gbrowse-aws-balancer:alive')],
    ['end its slaves', on('TerminateInstances', 'InstanceId.1', 'i-1')],
    ['cancel its requests', on('CancelSpotInstanceRequests', 'SpotInstanceRequestId.1', 'sir-1')],
    ['delete its security group', on('DeleteSecurityGroup', 'GroupId', 'sg-1')],
    ['delete its launch template', on('DeleteLaunchTemplate', 'LaunchTemplateId', 'lt-1')],
    ['remove a volume that was left over', on('DeleteVolume', 'VolumeId', 'vol-1')],
    ['remove a snapshot that was left over', on('DeleteSnapshot', 'SnapshotId', 'snap-1')],
    ['remove an image that was left over', on('DeregisterImage', 'ImageId', 'ami-1')],
  ];
  for (const [what, call] of calls) {
    test(what, async () => {
      assert.ok(await allowed(policy, call));
      assert.ok(await allowed(withSync, call));
      assert.equal(
        await allowed(policyFor({ ...SUBJECT, region: 'eu-west-1' }), call),
        false,
        'another region',
      );
      const isLook = call.action.startsWith('Describe');
      assert.equal(await allowed(policyFor({ ...SUBJECT, master: 'fly' }), call), isLook, 'another master');
    });
  }

  test("have the account's role for spot instances made, and no other", async () => {
    const role = (service: string): Authorization => ({
      action: 'iam:CreateServiceLinkedRole',
      resourceType: 'role',
      arn: `arn:aws:iam::123456789012:role/aws-service-role/${service}/AWSServiceRole`,
      context: { 'iam:AWSServiceName': service },
    });
    assert.ok(await isAllowed(policy, role('spot.amazonaws.com')));
    assert.equal(await isAllowed(policy, role('rds.amazonaws.com')), false);
    const disguised = {
      ...role('spot.amazonaws.com'),
      context: { 'iam:AWSServiceName': 'rds.amazonaws.com' },
    };
    assert.equal(await isAllowed(policy, disguised), false);
  });
});

describe('with sync the policy allows besides', () => {
  const calls: readonly (readonly [string, WireCall])[] = [
    ['start a staging instance with its tags', instance(ALL_OURS)],
    ['make its volume larger', on('ModifyVolume', 'VolumeId', 'vol-1')],
    [
      'make snapshots of its instance',
      {
        action: 'CreateSnapshots',
        parameters: {
          'InstanceSpecification.InstanceId': 'i-1',
          ...tagged('TagSpecification', { snapshot: 'yeast' }),
        },
      },
    ],
    ['see how far a volume is', { action: 'DescribeVolumesModifications', parameters: {} }],
  ];
  for (const [what, call] of calls) {
    test(what, async () => {
      assert.ok(await allowed(withSync, call));
      assert.equal(
        await allowed(policyFor({ ...SUBJECT, sync: true, master: 'fly' }), call),
        /Describe/.test(call.action),
      );
      assert.equal(await allowed(policy, call), false);
    });
  }
});

describe('with image the policy allows besides', () => {
  const make = (from: string, owners: Readonly<Record<string, string>>): WireCall => ({
    action: 'CreateImage',
    parameters: { InstanceId: from, ...tagged('TagSpecification', owners) },
  });
  const OWN = { image: 'yeast', snapshot: 'yeast' };

  test('start a staging instance with its tags', async () => {
    assert.ok(await allowed(withImage, instance(ALL_OURS)));
  });

  test('make an image of its instance, and tag it with the last activity', async () => {
    for (const call of [make('i-1', OWN), mark('ami-1', 'gbrowse-aws-balancer:alive')]) {
      assert.ok(await allowed(withImage, call));
      assert.equal(await allowed(policy, call), false);
      assert.equal(await allowed(policyFor({ ...SUBJECT, image: true, master: 'fly' }), call), false);
    }
  });

  test("no image of another's instance, none without tags, and to remove none of another's", async () => {
    const calls = [
      make('i-2', OWN),
      make('i-0', OWN),
      make('i-1', {}),
      make('i-1', { image: 'yeast' }),
      make('i-1', { image: 'yeast', snapshot: 'worm' }),
      on('DeregisterImage', 'ImageId', 'ami-2'),
      on('DeregisterImage', 'ImageId', 'ami-0'),
      mark('ami-2', 'gbrowse-aws-balancer:alive'),
    ];
    for (const call of calls) assert.equal(await allowed(withImage, call), false, JSON.stringify(call));
  });
});

describe('with a KMS key the policy allows', () => {
  const KEY = 'arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab';
  const withKey = policyFor({ ...SUBJECT, kmsKey: KEY });
  const use = (action: string, arn = KEY, forAws = 'true'): Authorization => ({
    action: `kms:${action}`,
    resourceType: 'key',
    arn,
    context: { 'kms:GrantIsForAWSResource': forAws },
  });

  test('its use, and to grant EC2 the use of it, and no other', async () => {
    for (const action of [
      'Decrypt',
      'DescribeKey',
      'GenerateDataKeyWithoutPlaintext',
      'ReEncryptTo',
      'CreateGrant',
    ]) {
      assert.ok(await isAllowed(withKey, use(action)), action);
      assert.equal(await isAllowed(policy, use(action)), false, action);
      assert.equal(await isAllowed(withKey, use(action, `${KEY}0`)), false, action);
    }
    assert.equal(await isAllowed(withKey, use('CreateGrant', KEY, 'false')), false);
    assert.equal(await isAllowed(withKey, use('ScheduleKeyDeletion')), false);
  });
});

describe('the policy forbids', () => {
  const calls: readonly (readonly [string, WireCall])[] = [
    ...['0', '2'].flatMap(other => {
      const whose = other === '0' ? "somebody's" : "another master's";
      return [
        [`to terminate ${whose} instance`, on('TerminateInstances', 'InstanceId.1', `i-${other}`)],
        [
          `to terminate ${whose} instance beside its own`,
          {
            action: 'TerminateInstances',
            parameters: { 'InstanceId.1': 'i-1', 'InstanceId.2': `i-${other}` },
          },
        ],
        [
          `to cancel ${whose} request`,
          on('CancelSpotInstanceRequests', 'SpotInstanceRequestId.1', `sir-${other}`),
        ],
        [`to delete ${whose} security group`, on('DeleteSecurityGroup', 'GroupId', `sg-${other}`)],
        [`to open ${whose} security group`, on('AuthorizeSecurityGroupIngress', 'GroupId', `sg-${other}`)],
        [`to close ${whose} security group`, on('RevokeSecurityGroupIngress', 'GroupId', `sg-${other}`)],
        [`to delete ${whose} launch template`, on('DeleteLaunchTemplate', 'LaunchTemplateId', `lt-${other}`)],
        [`to delete ${whose} volume`, on('DeleteVolume', 'VolumeId', `vol-${other}`)],
        [`to enlarge ${whose} volume`, on('ModifyVolume', 'VolumeId', `vol-${other}`)],
        [`to delete ${whose} snapshot`, on('DeleteSnapshot', 'SnapshotId', `snap-${other}`)],
        [`to delete ${whose} key pair`, on('DeleteKeyPair', 'KeyPairId', `key-${other}`)],
        [`to mark ${whose} instance`, mark(`i-${other}`, 'gbrowse-aws-balancer:draining')],
        [`to make ${whose} instance its own`, mark(`i-${other}`, MASTER)],
        [`to launch from ${whose} launch template`, fleet(`lt-${other}`, 'yeast')],
        [
          `to launch into ${whose} security group`,
          instance(ALL_OURS, { 'SecurityGroupId.1': `sg-${other}` }),
        ],
        [
          `to copy ${whose} instance`,
          {
            action: 'CreateSnapshots',
            parameters: {
              'InstanceSpecification.InstanceId': `i-${other}`,
              ...tagged('TagSpecification', { snapshot: 'yeast' }),
            },
          },
        ],
      ] as const;
    }),
    ['a fleet without a tag', fleet('lt-1', undefined)],
    ["a fleet with another master's tag", fleet('lt-1', 'worm')],
    ['an instance without a tag', instance({})],
    ["an instance with another master's tag", instance({ ...ALL_OURS, instance: 'worm' })],
    ['an instance whose volume has no tag', instance({ instance: 'yeast', 'network-interface': 'yeast' })],
    ['a security group without a tag', group()],
    ["a security group with another master's tag", group('worm')],
    ['a launch template without a tag', { action: 'CreateLaunchTemplate', parameters: templateFrom('sg-1') }],
    ['to give an instance of its own away', mark('i-1', MASTER)],
    ['to change other tags of its own', mark('i-1', 'Name')],
    ['to log in with a key pair that is not configured', instance(ALL_OURS, { KeyName: 'root' })],
  ];
  for (const [what, call] of calls) {
    test(what, async () => {
      assert.equal(await allowed(policy, call), false);
      assert.equal(await allowed(withAll, call), false);
    });
  }

  test('everything that is not of this work', async () => {
    const question = async (action: string, type: string): Promise<Authorization> => ({
      action: `ec2:${action}`,
      resourceType: type,
      arn: await arnOf(type, 'x', REGION),
      context: { [`aws:ResourceTag/${MASTER}`]: 'yeast', [`aws:RequestTag/${MASTER}`]: 'yeast' },
    });
    const others = [
      ['StopInstances', 'instance'],
      ['ModifyInstanceAttribute', 'instance'],
      ['ModifySnapshotAttribute', 'snapshot'],
      ['AuthorizeSecurityGroupEgress', 'security-group'],
      ['DeleteTags', 'instance'],
      ['CreateVpc', 'vpc'],
    ] as const;
    for (const [action, type] of others) {
      assert.equal(await isAllowed(withAll, await question(action, type)), false, action);
    }
  });
});

describe('what the configuration names is all that may be used', () => {
  const named = policyFor({
    ...SUBJECT,
    sync: true,
    securityGroup: 'sg-0',
    subnet: 'subnet-1',
    sshKey: 'web*',
  });
  const cases = [
    ['its security group', { 'SecurityGroupId.1': 'sg-0' }, true],
    ['its subnet', { SubnetId: 'subnet-1' }, true],
    ['its key pair', { KeyName: 'web*' }, true],
    ['another group', { 'SecurityGroupId.1': 'sg-2' }, false],
    ['another subnet', { SubnetId: 'subnet-2' }, false],
    ['another key pair', { KeyName: 'webmaster' }, false],
    ['a type of it', { InstanceType: 'm6i.large' }, true],
    ['another type', { InstanceType: 'p5.48xlarge' }, false],
    ['its snapshot', { 'BlockDeviceMapping.1.Ebs.SnapshotId': 'snap-0' }, true],
    ["a snapshot with the master's tag", { 'BlockDeviceMapping.1.Ebs.SnapshotId': 'snap-1' }, true],
    ["another master's snapshot", { 'BlockDeviceMapping.1.Ebs.SnapshotId': 'snap-2' }, false],
  ] as const;
  for (const [what, parameters, expected] of cases) {
    test(what, async () => assert.equal(await allowed(named, instance(ALL_OURS, parameters)), expected));
  }

  test('a fleet has its types, and may use its snapshots', async () => {
    const fleetOf = (type: string): WireCall => {
      const { action, parameters } = fleet('lt-1', 'yeast');
      return {
        action,
        parameters: { ...parameters, 'LaunchTemplateConfigs.1.Overrides.1.InstanceType': type },
      };
    };
    assert.equal(await allowed(policy, fleetOf('m5.large')), true);
    assert.equal(await allowed(policy, fleetOf('p5.48xlarge')), false);
    assert.equal(await allowed(policyFor({ ...SUBJECT, dataSnapshots: [] }), fleetOf('m5.large')), false);
  });
});

for (const file of ['README.md', 'packaging/README.Debian', 'src/cli/commands/setup.ts']) {
  test(`${file} names the command for a role with the options of what is run after it`, () => {
    const text = readFileSync(path.resolve(import.meta.dirname, '../..', file), 'utf8');
    const named = [...text.matchAll(/gbrowse-aws-balancer iam-policy --commands([^\n'#]*)/g)];
    assert.deepEqual(
      named.map(([, options = '']) => options.trim()),
      ['--sync --image'],
    );
  });
}

describe('the policy is complete', () => {
  const source = readFileSync(path.resolve(import.meta.dirname, '../../src/ec2/api.ts'), 'utf8');
  const called = [...source.matchAll(/^ {2}([A-Z]\w+): \[/gm)].map(([, action]) => `ec2:${action}`);
  const table = (name: string) => {
    const [, body = ''] = source.split(`type ${name} = {`);
    return [...(body.split('\n};')[0] ?? '').matchAll(/^ {2}(\w+): \[/gm)].map(
      ([, action]) => `ec2:${action}`,
    );
  };
  const actionsIn = (of: Policy) => [...new Set(of.Statement.flatMap(({ Action }) => Action))].toSorted();

  test('with sync and image: every action that the program may call, and no other', () => {
    assert.ok(called.length > 25);
    assert.deepEqual(actionsIn(withAll), [...new Set([...called, 'iam:CreateServiceLinkedRole'])].toSorted());
  });

  test('without: what sync alone needs is not there; a fleet needs RunInstances', () => {
    const sync = table('SyncActions').filter(action => action !== 'ec2:RunInstances');
    assert.ok(sync.length > 2);
    assert.deepEqual(
      actionsIn(policy),
      actionsIn(withSync).filter(action => !sync.includes(action)),
    );
  });

  test('each of the two alone: what only the other needs is not there', () => {
    const missing = (of: Policy) => actionsIn(withAll).filter(action => !actionsIn(of).includes(action));
    const alone = (name: string) => table(name).filter(action => action !== 'ec2:RunInstances');
    assert.deepEqual(missing(withImage), alone('SyncActions').toSorted());
    assert.deepEqual(missing(withSync), alone('ImageActions').toSorted());
  });

  test('an action is in some statement for every type of resource that AWS asks about', async () => {
    for (const action of called.map(it => it.replace('ec2:', ''))) {
      for (const type of await requiredResources(action)) {
        const id = type === 'subnet' || type === 'image' ? `${type}-1` : '*';
        const questions: Authorization[] = [];
        for (const tags of ['aws:RequestTag', 'aws:ResourceTag']) {
          questions.push({
            action: `ec2:${action}`,
            resourceType: type,
            arn: await arnOf(type, id, REGION),
            context: { [`${tags}/${MASTER}`]: 'yeast' },
          });
        }
        const no = await refused(withAll, questions);
        assert.ok(no.length < questions.length, `${action} on ${type}`);
      }
    }
  });

  test('the statements of an action can be named', () => {
    assert.deepEqual(statementsFor(policy, 'CreateTags'), ['TagAtCreation', 'MarkOwn']);
    assert.deepEqual(statementsFor(policy, 'TerminateInstances'), ['ChangeOwn']);
  });
});

describe('IAM takes the policy', () => {
  test('whatever the configuration may name: JSON in ASCII, within the limit of a managed policy', () => {
    const name = fc
      .string({ unit: 'grapheme', maxLength: 256 })
      .filter(text => OPTIONS.MASTER.name.parse(text) !== undefined);
    const subject = fc.record(
      {
        master: fc.oneof(name, fc.constant('ß'.repeat(256)), fc.constant('i-0123456789abcdef0')),
        region: fc.constant('ap-southeast-3'),
        instanceTypes: fc.array(fc.constant('m6idn.12xlarge'), { minLength: 1, maxLength: 10 }),
        dataSnapshots: fc.array(fc.constant('snap-0123456789abcdef0'), { maxLength: 4 }),
        sync: fc.boolean(),
        image: fc.boolean(),
        onDemand: fc.integer({ min: 0, max: 5 }),
        securityGroup: fc.constant('sg-0123456789abcdef0'),
        subnet: fc.constant('subnet-0123456789abcdef0'),
        sshKey: fc
          .string({ minLength: 1, maxLength: 255 })
          .filter(key => OPTIONS.SLAVE.sshKey.parse(key) !== undefined),
      },
      { requiredKeys: ['master', 'region', 'sync', 'instanceTypes', 'dataSnapshots'] },
    );
    fc.assert(
      fc.property(subject, given => {
        const made = policyFor(given);
        const text = policyText(made);
        assert.match(text, /^[\n -~]+$/);
        assert.deepEqual(JSON.parse(text), made);
        if (given.master.length <= 64) {
          assert.ok(JSON.stringify(made).length <= LONGEST_POLICY, `${JSON.stringify(made).length}`);
        }
        for (const { Sid } of made.Statement) assert.match(Sid, /^[A-Za-z0-9]+$/);
      }),
    );
  });

  test('slaves on demand are allowed only where on_demand is set; what stages runs on demand and comes from no template', async () => {
    const withOnDemand = policyFor({ ...SUBJECT, onDemand: 2 });
    const bought = fleet('lt-3', 'yeast', 'on-demand');
    const staged = instance(ALL_OURS);
    for (const it of [policy, withSync, withImage, withAll]) assert.equal(await allowed(it, bought), false);
    assert.equal(await allowed(withOnDemand, bought), true);
    assert.equal(await allowed(withOnDemand, fleet('lt-1', 'yeast')), true);
    assert.equal(await allowed(withOnDemand, fleet('lt-3', 'worm', 'on-demand')), false);
    assert.equal(await allowed(policy, staged), false);
    for (const it of [withSync, withImage, withAll]) assert.equal(await allowed(it, staged), true);
  });

  test('very long names are within the limit as well', () => {
    const longest = policyFor({
      master: 'm'.repeat(150),
      region: 'ap-southeast-3',
      instanceTypes: ['m5.large', 'm5a.large', 'm6i.large', 'm6a.large'],
      dataSnapshots: ['snap-0123456789abcdef0', 'snap-0123456789abcdef1'],
      sync: true,
      image: true,
      securityGroup: 'sg-0123456789abcdef0',
      subnet: 'subnet-0123456789abcdef0',
      sshKey: 'k'.repeat(255),
    });
    assert.ok(JSON.stringify(longest).length <= LONGEST_POLICY, `${JSON.stringify(longest).length}`);
  });

  test('everything that can be asked for is within the limit for names of 100 characters', () => {
    const all = policyFor({
      master: 'm'.repeat(100),
      region: 'ap-southeast-3',
      instanceTypes: ['m5.large', 'm5a.large', 'm6i.large', 'm6a.large'],
      dataSnapshots: ['snap-0123456789abcdef0', 'snap-0123456789abcdef1'],
      sync: true,
      image: true,
      securityGroup: 'sg-0123456789abcdef0',
      subnet: 'subnet-0123456789abcdef0',
      sshKey: 'k'.repeat(100),
      kmsKey: 'arn:aws:kms:ap-southeast-3:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab',
    });
    assert.ok(JSON.stringify(all).length <= LONGEST_POLICY, `${JSON.stringify(all).length}`);
  });
});
