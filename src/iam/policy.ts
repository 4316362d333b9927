import type { Ec2Action } from '../ec2/api.ts';
import { ALIVE_TAG, DRAINING_TAG, MASTER_TAG } from '../spot/tags.ts';
import { type ActionKind, actionsOf, type Uses } from './actions.ts';

/** A statement of an IAM policy, as AWS's JSON has it. */
export type Statement = {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
};

export type Policy = { readonly Version: '2012-10-17'; readonly Statement: readonly Statement[] };

/** What a policy depends on. */
export type PolicySubject = Uses & {
  /** Value of the ownership tag. */
  readonly master: string;
  readonly region: string;
  /** The slaves' own, from the configuration; without it the balancer makes one. */
  readonly securityGroup?: string;
  /** The only one that slaves are launched into; without it any. */
  readonly subnet?: string;
  /** The types that instances may have. */
  readonly instanceTypes: readonly string[];
  /** Snapshots that the configuration names; besides them, those with this master's tag may be used. */
  readonly dataSnapshots: readonly string[];
  /** How many slaves may be bought on demand; without it none. */
  readonly onDemand?: number;
  /** The AWS key pair that logs in to the slaves. */
  readonly sshKey?: string;
  /** The ARN of a key of the account's own that encrypts the volumes of slaves. */
  readonly kmsKey?: string;
};

/** A managed policy has at most so many characters, white space not counted (IAM User Guide, "IAM and AWS STS quotas"). */
export const LONGEST_POLICY = 6144;

/** The resources that a launch makes; each gets its tags from the launch template or from the call. */
const LAUNCHED = ['fleet', 'instance', 'network-interface', 'spot-instances-request', 'volume'];

/** No instance on demand. What is no instance has no market. */
const SPOT_ALONE = { 'ec2:InstanceMarketType': 'spot' };

/**
 * Tagged resources that are changed or removed. A fleet of type instant removes itself, an interface goes with its
 * instance.
 */
const CHANGED = [
  'image',
  'instance',
  'launch-template',
  'security-group',
  'snapshot',
  'spot-instances-request',
  'volume',
];

/**
 * The least that a master needs: it may describe everything in its region, create only what the creating call tags,
 * launch only the types of the configuration, from its own launch template, with snapshots of its own or of the
 * configuration, and change or remove only what carries its tag. Images and subnets are not limited to today's, so that
 * a change of the image needs no new policy.
 */
export function policyFor(subject: PolicySubject): Policy {
  const { master, region, sync, image, securityGroup, subnet, sshKey, kmsKey, onDemand = 0 } = subject;
  const ofTypes = { 'ec2:InstanceType': [...subject.instanceTypes].toSorted() };
  const actions = actionsOf(subject);
  const of = (...kinds: readonly ActionKind[]) =>
    [...actions].flatMap(([action, kind]) => (kinds.includes(kind) ? [`ec2:${action}`] : []));
  const arns = (...types: readonly string[]) =>
    types.map(type => `arn:*:ec2:${region}:*:${type.includes('/') ? type : `${type}/*`}`);
  const made = [
    'launch-template',
    'security-group',
    ...(image === true ? ['image'] : []),
    ...(sync || image === true ? ['snapshot'] : []),
  ];
  const requested = { StringEquals: { [`aws:RequestTag/${MASTER_TAG}`]: master } };
  const owned = { StringEquals: { [`aws:ResourceTag/${MASTER_TAG}`]: master } };

  const statements: Statement[] = [
    {
      Sid: 'Look',
      Effect: 'Allow',
      Action: of('describe'),
      Resource: ['*'],
      Condition: { StringEquals: { 'ec2:Region': region } },
    },
    {
      Sid: 'CreateWithTag',
      Effect: 'Allow',
      Action: of('create'),
      Resource: arns(...made),
      Condition: requested,
    },
    {
      Sid: 'CreateGroupInVpc',
      Effect: 'Allow',
      Action: ['ec2:CreateSecurityGroup'],
      Resource: arns('vpc'),
    },
    {
      Sid: 'LaunchWithTag',
      Effect: 'Allow',
      Action: of('launch'),
      Resource: arns(...LAUNCHED),
      // What is no instance has no type.
      Condition: { ...requested, StringEqualsIfExists: { ...ofTypes, ...(onDemand === 0 && SPOT_ALONE) } },
    },
    ...(onDemand === 0 && (sync || image === true)
      ? [
          {
            // What stages data and images runs on demand, and comes from no launch template. (TagAtCreation says whose tag.)
            Sid: 'Stage',
            Effect: 'Allow',
            Action: ['ec2:RunInstances'],
            Resource: arns('instance'),
            Condition: {
              StringEquals: ofTypes,
              Null: { 'ec2:LaunchTemplate': 'true', [`aws:RequestTag/${MASTER_TAG}`]: 'false' },
            },
          } satisfies Statement,
        ]
      : []),
    {
      Sid: 'LaunchFromOwn',
      Effect: 'Allow',
      Action: of('launch'),
      Resource: arns('launch-template', 'security-group', 'snapshot'),
      Condition: owned,
    },
    {
      Sid: 'LaunchWith',
      Effect: 'Allow',
      Action: of('launch'),
      Resource: arns(
        'image',
        ...subject.dataSnapshots.map(id => `snapshot/${id}`),
        subnet === undefined ? 'subnet' : `subnet/${subnet}`,
        ...(securityGroup === undefined ? [] : [groupArn(securityGroup)]),
        ...(sshKey === undefined ? [] : [`key-pair/${escaped(sshKey)}`]),
      ),
    },
    {
      // Only instance and fleet have their tags in the call itself. The volumes have theirs in the launch template,
      // which RunInstances checks, too.
      Sid: 'FleetVolumes',
      Effect: 'Allow',
      Action: ['ec2:CreateFleet'],
      Resource: arns('volume'),
    },
    {
      Sid: 'TagAtCreation',
      Effect: 'Allow',
      Action: ['ec2:CreateTags'],
      Resource: arns(...LAUNCHED, ...made),
      Condition: {
        StringEquals: {
          ...requested.StringEquals,
          'ec2:CreateAction': of('create', 'launch').map(action => action.replace('ec2:', '')),
        },
      },
    },
    {
      Sid: 'MarkOwn',
      Effect: 'Allow',
      Action: ['ec2:CreateTags'],
      Resource: arns(
        'instance',
        'launch-template',
        ...(image === true ? ['image'] : []),
        ...(sync ? ['snapshot'] : []),
      ),
      Condition: {
        ...owned,
        'ForAllValues:StringEquals': { 'aws:TagKeys': [ALIVE_TAG, DRAINING_TAG] },
      },
    },
    {
      Sid: 'ChangeOwn',
      Effect: 'Allow',
      Action: [
        ...of('change', 'read'),
        ...(sync ? ['ec2:CreateSnapshots'] : []),
        ...(image === true ? ['ec2:CreateImage'] : []),
      ].toSorted(),
      Resource: arns(...CHANGED),
      Condition: owned,
    },
    {
      // EC2 makes this role with the first spot instance of an account. (An instant fleet needs no role of its own.)
      Sid: 'FirstSpotInstanceOfAccount',
      Effect: 'Allow',
      Action: ['iam:CreateServiceLinkedRole'],
      Resource: ['arn:*:iam::*:role/aws-service-role/spot.amazonaws.com/*'],
      Condition: { StringEquals: { 'iam:AWSServiceName': 'spot.amazonaws.com' } },
    },
    ...(kmsKey === undefined ? [] : useOfKey(kmsKey)),
  ];
  return { Version: '2012-10-17', Statement: statements };
}

/**
 * What the launch of an instance with encrypted volumes needs of the key. (EBS User Guide, "Requirements for Amazon EBS
 * encryption": EC2 uses the key by a grant of the caller's)
 */
function useOfKey(key: string): readonly Statement[] {
  return [
    {
      Sid: 'UseKey',
      Effect: 'Allow',
      Action: ['kms:Decrypt', 'kms:DescribeKey', 'kms:GenerateDataKeyWithoutPlaintext', 'kms:ReEncrypt*'],
      Resource: [key],
    },
    {
      Sid: 'GrantKeyToEc2',
      Effect: 'Allow',
      Action: ['kms:CreateGrant'],
      Resource: [key],
      Condition: { Bool: { 'kms:GrantIsForAWSResource': 'true' } },
    },
  ];
}

/** The policy's JSON for IAM, which accepts characters beyond Latin-1 only escaped. */
export function policyText(policy: Policy): string {
  const text = JSON.stringify(policy, undefined, 2).replaceAll(
    /[^\n -~]/g,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  // A list of one item takes one line.
  return `${text.replaceAll(/\[\n\s+("[^"\n]*")\n\s+\]/g, '[$1]')}\n`;
}

/** The names of the statements that an action needs. */
export function statementsFor(policy: Policy, action: Ec2Action): readonly string[] {
  return policy.Statement.filter(({ Action }) => Action.includes(`ec2:${action}`)).map(({ Sid }) => Sid);
}

/** Groups have their ids in ARNs; one that is given by its name may have any id. */
function groupArn(group: string): string {
  return /^sg-[0-9a-f]+$/.test(group) ? `security-group/${group}` : 'security-group/*';
}

/** A name in an ARN pattern: `*` and `?` are wildcards there, and a variable begins with `$`. */
function escaped(name: string): string {
  return name.replaceAll(/[*?$]/g, character => `\${${character}}`);
}
