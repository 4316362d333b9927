import { isIPv4, isIPv6 } from 'node:net';
import type { IpPermission } from '@aws-sdk/client-ec2';
import type { Account, Instance } from './account.ts';
import { isInBlock } from './addresses.ts';
import { notServed, onlyServed, Refusal } from './refusal.ts';
import type { GroupRule } from './resources.ts';

/** Whether the groups of an instance let a packet in. `fromGroups` are the sender's own, when it is in the VPC. */
export function admits(
  account: Account,
  instance: Instance,
  port: number,
  fromAddress: string,
  fromGroups: readonly string[] = [],
): boolean {
  return instance.groupIds
    .flatMap(id => account.groups.get(id)?.rules ?? [])
    .some(
      ({ protocol, fromPort, toPort, source }) =>
        (protocol === '-1' || (protocol === 'tcp' && fromPort <= port && port <= toPort)) &&
        ((source.kind === 'IPv4' && isIPv4(fromAddress) && isInBlock(fromAddress, source.value)) ||
          (source.kind === 'IPv6' && source.value === `${fromAddress}/128`) ||
          (source.kind === 'group' && fromGroups.includes(source.value))),
    );
}

/**
 * The rules of a request, each source one of its own.
 *
 * @param groupId the id of the group that is meant by an id or a name
 * @throws {Refusal} for what is malformed
 */
export function rulesOf(
  account: Account,
  permissions: readonly IpPermission[] | undefined,
  groupId: (id: string | undefined, name: string | undefined) => string,
): GroupRule[] {
  const rules = (permissions ?? []).flatMap(permission => {
    onlyServed('IpPermission', permission, [
      'IpProtocol',
      'FromPort',
      'ToPort',
      'IpRanges',
      'Ipv6Ranges',
      'UserIdGroupPairs',
    ]);
    const { IpProtocol: protocol = '', FromPort: fromPort = -1, ToPort: toPort = -1 } = permission;
    if (!['tcp', 'udp', 'icmp', '-1'].includes(protocol)) throw notServed(`the IpProtocol "${protocol}"`);
    if (protocol === 'tcp' && !(fromPort >= 0 && fromPort <= toPort && toPort <= 65_535)) {
      throw new Refusal('InvalidParameterValue', `Invalid value '${fromPort}-${toPort}' for portRange.`);
    }
    const rule = (kind: GroupRule['source']['kind'], value: string, description: string | undefined) => ({
      id: account.newResource('sgr', new Map()).id,
      protocol,
      fromPort,
      toPort,
      source: { kind, value },
      ...(description !== undefined && { description }),
    });
    return [
      ...(permission.IpRanges ?? []).map(it =>
        rule('IPv4', checkBlock(it.CidrIp, isIPv4, 32), it.Description),
      ),
      ...(permission.Ipv6Ranges ?? []).map(it =>
        rule('IPv6', checkBlock(it.CidrIpv6, isIPv6, 128), it.Description),
      ),
      ...(permission.UserIdGroupPairs ?? []).map(it =>
        rule('group', groupId(it.GroupId, it.GroupName), it.Description),
      ),
    ];
  });
  if (rules.length === 0)
    throw new Refusal('MissingParameter', 'The request must contain the parameter ipPermissions');
  return rules;
}

function checkBlock(
  block: string | undefined,
  isAddress: (text: string) => boolean,
  longest: number,
): string {
  const [address = '', bits = ''] = (block ?? '').split('/');
  if (block === undefined || !isAddress(address) || !/^\d+$/.test(bits) || Number(bits) > longest) {
    throw new Refusal('InvalidParameterValue', `CIDR block ${block} is malformed`);
  }
  return block;
}

/** What makes two rules the same: protocol, ports and source. */
export function keyOf({ protocol, fromPort, toPort, source }: GroupRule): string {
  return `${protocol} ${fromPort}-${toPort} ${source.value}`;
}

/** As EC2 shows rules: the sources of one range of ports together. */
export function toPermissions(rules: readonly GroupRule[]): IpPermission[] {
  const byPorts = Map.groupBy(rules, ({ protocol, fromPort, toPort }) => `${protocol} ${fromPort} ${toPort}`);
  return Array.from(byPorts.values(), sources => {
    const of = (kind: GroupRule['source']['kind']) => sources.filter(it => it.source.kind === kind);
    const note = (rule: GroupRule) =>
      rule.description === undefined ? {} : { Description: rule.description };
    const ports = sources[0];
    return {
      IpProtocol: ports?.protocol,
      ...(ports !== undefined && ports.fromPort >= 0 && { FromPort: ports.fromPort, ToPort: ports.toPort }),
      IpRanges: of('IPv4').map(it => ({ CidrIp: it.source.value, ...note(it) })),
      Ipv6Ranges: of('IPv6').map(it => ({ CidrIpv6: it.source.value, ...note(it) })),
      UserIdGroupPairs: of('group').map(it => ({ GroupId: it.source.value, ...note(it) })),
      PrefixListIds: [],
    };
  });
}
