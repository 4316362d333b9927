import type {
  AuthorizeSecurityGroupIngressRequest,
  AuthorizeSecurityGroupIngressResult,
  CreateSecurityGroupRequest,
  CreateSecurityGroupResult,
  DeleteSecurityGroupRequest,
  DeleteSecurityGroupResult,
  DescribeSecurityGroupsRequest,
  DescribeSecurityGroupsResult,
  RevokeSecurityGroupIngressRequest,
  RevokeSecurityGroupIngressResult,
  SecurityGroup,
} from '@aws-sdk/client-ec2';
import type { Account, Group } from './account.ts';
import { type Fields, passes } from './filters.ts';
import { keyOf, rulesOf, toPermissions } from './group-rules.ts';
import { stateAt } from './lifecycle.ts';
import { pageOf } from './paging.ts';
import { Refusal } from './refusal.ts';
import { readTagSpecifications, type Tags, tagsAt, toSdkTags } from './tags.ts';

export function createSecurityGroup(
  account: Account,
  request: CreateSecurityGroupRequest,
): CreateSecurityGroupResult {
  const { GroupName: name = '', Description: description = '', VpcId, TagSpecifications } = request;
  if (description === '')
    throw new Refusal('MissingParameter', 'The request must contain the parameter GroupDescription');
  for (const [what, text] of [
    ['GroupName', name],
    ['GroupDescription', description],
  ]) {
    if (!/^[a-zA-Z0-9. _\-:/()#,@[\]+=&;{}!$*]{1,255}$/.test(text ?? '')) {
      throw new Refusal(
        'InvalidParameterValue',
        `Value (${text}) for parameter ${what} is invalid. Character sets beyond ASCII are not supported.`,
      );
    }
  }
  if (name.startsWith('sg-'))
    throw new Refusal('InvalidParameterValue', `Group names may not be in the format sg-*`);
  if (VpcId !== undefined && VpcId !== account.settings.vpcId) {
    throw new Refusal('InvalidVpcID.NotFound', `The vpc ID '${VpcId}' does not exist`);
  }
  if ([...account.groups.values()].some(group => group.name === name)) {
    throw new Refusal(
      'InvalidGroup.Duplicate',
      `The security group '${name}' already exists for VPC '${account.settings.vpcId}'`,
    );
  }
  const tags =
    readTagSpecifications(TagSpecifications, ['security-group']).get('security-group') ?? new Map();
  const group = addGroup(account, name, description, tags);
  return { GroupId: group.id, Tags: toSdkTags(tags) };
}

/** Puts a group into the account; the default one is there from the beginning. */
export function addGroup(account: Account, name: string, description: string, tags: Tags): Group {
  const group = { ...account.newResource('sg', tags), name, description, rules: [] };
  account.groups.set(group.id, group);
  return group;
}

const FIELDS: Fields<{ readonly group: Group; readonly tags: Tags; readonly vpcId: string }> = {
  'group-id': it => it.group.id,
  'group-name': it => it.group.name,
  description: it => it.group.description,
  'vpc-id': it => it.vpcId,
};

/** A group that is asked for by id or name is there at once; by filters it is shown after its lag. */
export function describeSecurityGroups(
  account: Account,
  request: DescribeSecurityGroupsRequest,
): DescribeSecurityGroupsResult {
  const { GroupIds, GroupNames } = request;
  const asked = [
    ...(GroupIds ?? []).map(id => findGroup(account, id).id),
    ...(GroupNames ?? []).map(name => findGroup(account, undefined, name).id),
  ];
  const isAsked = GroupIds !== undefined || GroupNames !== undefined;
  const now = account.now();
  const matches = passes('DescribeSecurityGroups', request.Filters, FIELDS);
  const groups = [...account.groups.values()].filter(group => {
    if (isAsked ? !asked.includes(group.id) : now < group.bornAt + group.lag) return false;
    return matches({ group, tags: tagsAt(group.tags, now - group.lag), vpcId: account.settings.vpcId });
  });
  const { items, next } = pageOf(groups, request);
  return { SecurityGroups: items.map(group => toSdkGroup(account, group)), ...next };
}

export function authorizeSecurityGroupIngress(
  account: Account,
  request: AuthorizeSecurityGroupIngressRequest,
): AuthorizeSecurityGroupIngressResult {
  const group = findGroup(account, request.GroupId, request.GroupName);
  const rules = rulesOf(account, request.IpPermissions, groupIdIn(account));
  const present = new Set(group.rules.map(keyOf));
  for (const rule of rules) {
    const key = keyOf(rule);
    if (present.has(key)) {
      throw new Refusal(
        'InvalidPermission.Duplicate',
        `the specified rule "peer: ${rule.source.value}, ${rule.protocol.toUpperCase()}, from port: ${rule.fromPort}, to port: ${rule.toPort}, ALLOW" already exists`,
      );
    }
    present.add(key);
  }
  if (present.size > 60) {
    throw new Refusal(
      'RulesPerSecurityGroupLimitExceeded',
      'The maximum number of rules per security group has been reached.',
    );
  }
  group.rules = [...group.rules, ...rules];
  return {
    Return: true,
    SecurityGroupRules: rules.map(rule => ({
      SecurityGroupRuleId: rule.id,
      GroupId: group.id,
      IsEgress: false,
      IpProtocol: rule.protocol,
      FromPort: rule.fromPort,
      ToPort: rule.toPort,
      ...(rule.source.kind === 'IPv4' && { CidrIpv4: rule.source.value }),
      ...(rule.source.kind === 'IPv6' && { CidrIpv6: rule.source.value }),
      ...(rule.source.kind === 'group' && { ReferencedGroupInfo: { GroupId: rule.source.value } }),
    })),
  };
}

/** In a default VPC, rules that are not there are no error: the answer names them. */
export function revokeSecurityGroupIngress(
  account: Account,
  request: RevokeSecurityGroupIngressRequest,
): RevokeSecurityGroupIngressResult {
  const group = findGroup(account, request.GroupId, request.GroupName);
  const rules = rulesOf(account, request.IpPermissions, groupIdIn(account));
  const present = new Set(group.rules.map(keyOf));
  const unknown = rules.filter(rule => !present.has(keyOf(rule)));
  const revoked = new Set(rules.map(keyOf));
  group.rules = group.rules.filter(rule => !revoked.has(keyOf(rule)));
  return { Return: true, UnknownIpPermissions: toPermissions(unknown) };
}

export function deleteSecurityGroup(
  account: Account,
  request: DeleteSecurityGroupRequest,
): DeleteSecurityGroupResult {
  const group = findGroup(account, request.GroupId, request.GroupName);
  if (group.name === 'default') {
    throw new Refusal(
      'CannotDelete',
      `the specified group: "${group.id}" name: "default" cannot be deleted by a user`,
    );
  }
  const now = account.now();
  const isUsed = [...account.instances.values()].some(
    it => it.groupIds.includes(group.id) && stateAt(it, now) !== 'terminated',
  );
  const isNamed = [...account.groups.values()].some(
    other => other !== group && other.rules.some(rule => rule.source.value === group.id),
  );
  if (isUsed || isNamed) {
    throw new Refusal('DependencyViolation', `resource ${group.id} has a dependent object`);
  }
  account.groups.delete(group.id);
  return { Return: true, GroupId: group.id };
}

/** @throws {Refusal} InvalidGroup.NotFound */
export function findGroup(account: Account, id: string | undefined, name?: string): Group {
  const group =
    id === undefined ? [...account.groups.values()].find(it => it.name === name) : account.groups.get(id);
  if (group === undefined) {
    throw new Refusal('InvalidGroup.NotFound', `The security group '${id ?? name}' does not exist`);
  }
  return group;
}

function groupIdIn(account: Account) {
  return (id: string | undefined, name: string | undefined) => findGroup(account, id, name).id;
}

function toSdkGroup(account: Account, group: Group): SecurityGroup {
  return {
    GroupId: group.id,
    GroupName: group.name,
    Description: group.description,
    OwnerId: account.settings.accountId,
    VpcId: account.settings.vpcId,
    IpPermissions: toPermissions(group.rules),
    IpPermissionsEgress: [{ IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] }],
    Tags: toSdkTags(tagsAt(group.tags, account.now() - group.lag)),
  };
}
