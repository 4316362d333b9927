import { BlockList, isIPv6 } from 'node:net';
import type { IpPermission } from '@aws-sdk/client-ec2';
import { isUserError } from '../../errors.ts';
import type { Site } from '../../master/site.ts';
import type { Placement } from '../../spot/network.ts';
import { findGivenGroup } from '../../spot/security-group.ts';
import { type Finding, isNotChecked, ok, problem, skipped, warning } from '../finding.ts';
import { known } from '../known.ts';
import { sentence } from '../sentence.ts';
import type { Topic } from '../topic.ts';
import type { World } from '../world.ts';

/** Where slaves run, who reaches them, and from which address the master does. */
export const network: Topic = {
  name: 'network',
  async check(world) {
    const [site, { slave }] = await Promise.all([world.site(), world.config()]);
    const [where, address] = await Promise.all([subnets(world), addressOf(site, world)]);
    const group = await securityGroup(slave.securityGroup, slave.ports, address.found, world, site.vpc);
    return [...where, ...address.findings, ...group];
  },
};

async function subnets(world: World): Promise<readonly Finding[]> {
  try {
    return [placed(await world.placements())];
  } catch (error) {
    if (isNotChecked(error)) return [skipped(`subnets ${error.message}`)];
    if (!isUserError(error)) throw error;
    return [
      problem(
        sentence(error.message),
        `The lines are ${await world.place('SLAVE', 'subnet')} and ${await world.place('SLAVE', 'availability_zone')}.`,
      ),
    ];
  }
}

function placed(placements: readonly Placement[]): Finding {
  const zones = [...new Set(placements.map(it => it.availabilityZone))].toSorted();
  const [first] = placements;
  const which =
    placements.length === 1 ? `subnet ${first?.subnetId}` : `${placements.length} subnets of ${first?.vpcId}`;
  return ok(`Slaves run in ${which}: ${zones.join(', ')}.`);
}

/** Addresses that no packet from the internet has (RFC 1918, 3927, 5735, 6598). */
const PRIVATE = new BlockList();
for (const [net, prefix] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['100.64.0.0', 10],
] as const) {
  PRIVATE.addSubnet(net, prefix);
}

async function addressOf(
  site: Site,
  world: World,
): Promise<{ readonly found?: string; readonly findings: readonly Finding[] }> {
  if (site.reach === 'private') {
    const own = site.address === undefined ? {} : { found: site.address };
    return {
      ...own,
      findings: [ok(`They accept connections from ${site.address}, this instance's private address.`)],
    };
  }
  const place = await world.place('MASTER', 'external_ip');
  const seen = await world.edges.findAddress().catch(error => {
    if (isUserError(error)) return undefined;
    throw error;
  });
  if (site.address === undefined) {
    if (seen !== undefined)
      return {
        found: seen,
        findings: [ok(`They accept connections from ${seen}, this machine's address on the internet.`)],
      };
    const fix = `Set this machine's address on the internet in ${place}:\n    external_ip = ADDRESS`;
    return {
      findings: [
        problem('The address that slaves must accept connections from could not be determined.', fix),
      ],
    };
  }
  const { address } = site;
  if (!isIPv6(address) && PRIVATE.check(address)) {
    return {
      found: address,
      findings: [
        problem(
          `external_ip is ${address}, a private address, which slaves in EC2 cannot see.`,
          `In ${place}${seen === undefined ? ', leave it blank' : ''}:\n    external_ip = ${seen ?? ''}`.trimEnd(),
        ),
      ],
    };
  }
  if (seen !== undefined && seen !== address) {
    const message = `external_ip is ${address}, but others see this machine as ${seen}: slaves that refuse connections from it never become ready.`;
    return {
      found: address,
      findings: [warning(message, `In ${place}, or leave it blank:\n    external_ip = ${seen}`)],
    };
  }
  return { found: address, findings: [ok(`They accept connections from ${address} (external_ip).`)] };
}

async function securityGroup(
  given: string | undefined,
  ports: readonly number[],
  address: string | undefined,
  world: World,
  vpc: string | undefined,
): Promise<readonly Finding[]> {
  const list = ports.join(', ');
  if (given === undefined)
    return [ok(`The balancer's own security group lets only the master connect to ${list}.`)];
  const { ec2 } = await world.account();
  const place = await world.place('SLAVE', 'security_group');
  const group = await known(findGivenGroup(ec2, given, vpc));
  // The subnet check reports a missing group.
  if (group === undefined) return [];
  const { groupId } = group;
  const { SecurityGroups = [] } = await ec2('DescribeSecurityGroups', { GroupIds: [groupId] });
  return judgeGroup({ groupId, rules: SecurityGroups[0]?.IpPermissions ?? [], ports, address, place });
}

type GroupFacts = {
  readonly groupId: string;
  readonly rules: readonly IpPermission[];
  readonly ports: readonly number[];
  /** The master's address, as slaves see it. */
  readonly address: string | undefined;
  readonly place: string;
};

/** Whether a security group of the administrator lets the master in, and nobody else. */
export function judgeGroup({ groupId, rules, ports, address, place }: GroupFacts): readonly Finding[] {
  const open = ports.filter(port => rules.some(rule => covers(rule, port) && isForAll(rule)));
  if (open.length > 0) {
    return [
      problem(
        `${groupId} lets everybody connect to ${open.join(', ')}: anyone who reaches the port of a slave can run code on it.`,
        `Allow only the master, or let the balancer create a group by leaving ${place} blank.`,
      ),
    ];
  }
  const closed = ports.filter(port => !rules.some(rule => covers(rule, port) && admits(rule, address)));
  if (closed.length > 0) {
    const cidr = address === undefined ? 'ADDRESS/32' : isIPv6(address) ? `${address}/128` : `${address}/32`;
    const commands = closed.map(
      port =>
        `    aws ec2 authorize-security-group-ingress --group-id ${groupId} --protocol tcp --port ${port} --cidr ${cidr}`,
    );
    return [
      problem(
        `${groupId} does not let the master connect to ${closed.join(', ')}: slaves will never become ready.`,
        commands.join('\n'),
      ),
    ];
  }
  return [ok(`${groupId} lets the master connect to ${ports.join(', ')}.`)];
}

function covers({ IpProtocol, FromPort = 0, ToPort = 65535 }: IpPermission, port: number): boolean {
  return IpProtocol === '-1' || (IpProtocol === 'tcp' && FromPort <= port && port <= ToPort);
}

function isForAll({ IpRanges = [], Ipv6Ranges = [] }: IpPermission): boolean {
  return IpRanges.some(it => it.CidrIp === '0.0.0.0/0') || Ipv6Ranges.some(it => it.CidrIpv6 === '::/0');
}

/** A rule for a group or a prefix list may cover the master, too; we cannot tell. */
function admits(
  { IpRanges = [], Ipv6Ranges = [], UserIdGroupPairs = [], PrefixListIds = [] }: IpPermission,
  address: string | undefined,
): boolean {
  if (UserIdGroupPairs.length > 0 || PrefixListIds.length > 0) return true;
  const cidrs = [...IpRanges.map(it => it.CidrIp), ...Ipv6Ranges.map(it => it.CidrIpv6)];
  if (address === undefined) return cidrs.length > 0;
  return cidrs.some(cidr => cidr !== undefined && contains(cidr, address));
}

function contains(cidr: string, address: string): boolean {
  const [net = '', prefix = ''] = cidr.split('/');
  if (isIPv6(net) !== isIPv6(address)) return false;
  const family = isIPv6(net) ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  list.addSubnet(net, Number(prefix), family);
  return list.check(address, family);
}
