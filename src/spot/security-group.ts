import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { IpPermission, SecurityGroup } from '@aws-sdk/client-ec2';
import type { Ec2 } from '../ec2/api.ts';
import { isDuplicate, unless, unlessGone } from '../ec2/errors.ts';
import { failure } from '../errors.ts';
import { isBalancers, ownedBy, ownTags, tagged } from './tags.ts';

/** Who may connect through the balancer's own security group: the master alone, to these ports. */
type Admission = { readonly address: string; readonly ports: readonly number[] };

/**
 * Makes sure that this master's own security group exists and allows exactly what it should: anybody who reaches a
 * slave's port can run code there. If the master's address has changed, the rules are changed.
 *
 * @returns the group's id
 * @throws {Ec2Error}
 */
export async function ensureSecurityGroup(
  ec2: Ec2,
  master: string,
  vpcId: string,
  admission: Admission,
): Promise<string> {
  const own = await findOwnGroups(ec2, master);
  const group = own.find(it => it.VpcId === vpcId) ?? (await createGroup(ec2, master, vpcId));
  const groupId = group.GroupId ?? '';
  const wanted = new Map(
    admission.ports.map(port => ruleFor(port, admission.address)).map(it => [keyOf(it), it]),
  );
  const present = new Map((group.IpPermissions ?? []).flatMap(separate).map(it => [keyOf(it), it]));

  const missing = [...wanted].flatMap(([key, rule]) => (present.has(key) ? [] : [rule]));
  if (missing.length > 0) {
    await unless(
      isDuplicate,
      ec2('AuthorizeSecurityGroupIngress', { GroupId: groupId, IpPermissions: missing }),
    );
  }
  const surplus = [...present].flatMap(([key, rule]) => (wanted.has(key) ? [] : [rule]));
  if (surplus.length > 0) {
    await unlessGone(ec2('RevokeSecurityGroupIngress', { GroupId: groupId, IpPermissions: surplus }));
  }
  return groupId;
}

/** The security groups of this master's balancer. */
export async function findOwnGroups(ec2: Ec2, master: string): Promise<readonly SecurityGroup[]> {
  const { SecurityGroups = [] } = await ec2('DescribeSecurityGroups', { Filters: [ownedBy(master)] });
  return SecurityGroups.filter(isBalancers);
}

/** A security group of the administrator's. */
type GivenGroup = { readonly groupId: string; readonly vpcId: string };

/**
 * The group that `[SLAVE] security_group` names, by its id or its name. A name is unique in its VPC only.
 *
 * @param vpcId the VPC that it must be in, when that is known
 * @throws {UserError} when there is no such group, or more than one
 */
export async function findGivenGroup(ec2: Ec2, given: string, vpcId?: string): Promise<GivenGroup> {
  const filters = [
    { Name: 'group-name', Values: [given] },
    ...(vpcId === undefined ? [] : [{ Name: 'vpc-id', Values: [vpcId] }]),
  ];
  const isId = /^sg-[0-9a-f]+$/.test(given);
  const answer = await unlessGone(
    ec2('DescribeSecurityGroups', isId ? { GroupIds: [given] } : { Filters: filters }),
  );
  const groups = (answer?.SecurityGroups ?? []).flatMap(it =>
    it.GroupId === undefined || it.VpcId === undefined ? [] : [{ groupId: it.GroupId, vpcId: it.VpcId }],
  );
  const [group, ...more] = groups;
  const where = isId || vpcId === undefined ? 'in this region' : `in ${vpcId}`;
  if (group === undefined) {
    throw failure(
      `[SLAVE] security_group: there is no security group ${isId ? given : `named "${given}"`} ${where}`,
    );
  }
  if (more.length > 0) {
    const ids = groups.map(it => `${it.groupId} in ${it.vpcId}`).join(', ');
    throw failure(
      `[SLAVE] security_group: ${groups.length} groups are named "${given}" (${ids}); give the id`,
    );
  }
  return group;
}

/**
 * A name that EC2 takes for a group in a VPC (CreateSecurityGroup: at most 255 characters, of letters only ASCII's). A
 * name that had to be changed gets a hash, so that no two masters share it.
 */
export function groupName(master: string): string {
  const name = `gbrowse-aws-balancer ${master}`;
  const taken = name.replaceAll(/[^a-zA-Z0-9 ._\-:/()#,@[\]+=&;{}!$*]/g, '-').slice(0, 255);
  if (taken === name) return name;
  const hash = createHash('sha256').update(master).digest('hex').slice(0, 8);
  return `${taken.slice(0, 246)} ${hash}`;
}

async function createGroup(ec2: Ec2, master: string, vpcId: string): Promise<SecurityGroup> {
  const name = groupName(master);
  try {
    const { GroupId } = await ec2('CreateSecurityGroup', {
      GroupName: name,
      Description: 'GBrowse render slaves: lets in their master alone',
      VpcId: vpcId,
      TagSpecifications: [tagged('security-group', ownTags(master))],
    });
    return { ...(GroupId !== undefined && { GroupId }), VpcId: vpcId };
  } catch (error) {
    if (!isDuplicate(error)) throw error;
    // Either made a moment ago and not shown by its tag yet, or somebody else's: the tag decides.
    const again = (await findOwnGroups(ec2, master)).find(it => it.VpcId === vpcId);
    if (again !== undefined) return again;
    throw failure(
      `a security group named "${name}" exists in ${vpcId} but is not tagged as this master's, so it is left alone; delete it, or set [MASTER] name`,
    );
  }
}

function ruleFor(port: number, address: string): IpPermission {
  const to = { IpProtocol: 'tcp', FromPort: port, ToPort: port };
  const Description = 'GBrowse master';
  return isIPv6(address)
    ? { ...to, Ipv6Ranges: [{ CidrIpv6: `${address}/128`, Description }] }
    : { ...to, IpRanges: [{ CidrIp: `${address}/32`, Description }] };
}

/** EC2 shows the sources of one port together; each becomes a rule of its own, so that each can be kept or revoked. */
function separate(permission: IpPermission): IpPermission[] {
  const to = {
    ...(permission.IpProtocol !== undefined && { IpProtocol: permission.IpProtocol }),
    ...(permission.FromPort !== undefined && { FromPort: permission.FromPort }),
    ...(permission.ToPort !== undefined && { ToPort: permission.ToPort }),
  };
  return [
    ...(permission.IpRanges ?? []).map(range => ({ ...to, IpRanges: [range] })),
    ...(permission.Ipv6Ranges ?? []).map(range => ({ ...to, Ipv6Ranges: [range] })),
    ...(permission.PrefixListIds ?? []).map(list => ({ ...to, PrefixListIds: [list] })),
    ...(permission.UserIdGroupPairs ?? []).map(pair => ({ ...to, UserIdGroupPairs: [pair] })),
  ];
}

/** What distinguishes two rules: protocol, ports and source. */
function keyOf(rule: IpPermission): string {
  const source =
    rule.IpRanges?.[0]?.CidrIp ??
    rule.Ipv6Ranges?.[0]?.CidrIpv6 ??
    rule.PrefixListIds?.[0]?.PrefixListId ??
    rule.UserIdGroupPairs?.[0]?.GroupId;
  return `${rule.IpProtocol} ${rule.FromPort}-${rule.ToPort} ${source}`;
}
