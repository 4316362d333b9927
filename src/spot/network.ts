import type { Filter, RouteTable, Subnet } from '@aws-sdk/client-ec2';
import type { Ec2 } from '../ec2/api.ts';
import { isDenied, unless } from '../ec2/errors.ts';
import { allPages } from '../ec2/pages.ts';
import { failure } from '../errors.ts';
import type { Site } from '../master/site.ts';

/** A subnet that slaves may be launched into. */
export type Placement = {
  readonly subnetId: string;
  readonly vpcId: string;
  readonly availabilityZone: string;
};

type Candidate = Placement & { readonly freeAddresses: number };

/**
 * The subnets that slaves may be launched into, one for each zone (CreateFleet refuses a type twice in one zone, as
 * "duplicate instance pools"): the one that the configuration names or that the master is in, else those of the
 * master's VPC, else (outside EC2) the VPC of the given security group or the default one. If a zone has several, the
 * one with the most free addresses. Where the master reaches slaves by their public addresses, only subnets with a
 * route to the internet count.
 *
 * @throws {UserError} when there is none
 * @throws {Ec2Error}
 */
export async function findPlacements(
  ec2: Ec2,
  site: Site,
  securityGroupVpc: string | undefined,
): Promise<readonly Placement[]> {
  const vpc = site.vpc ?? securityGroupVpc;
  const found = await describeSubnets(ec2, site, vpc);
  const isNamed = site.subnet !== undefined || site.availabilityZone !== undefined;
  const there = isNamed ? found : found.filter(it => isRegular(it.availabilityZone));
  if (there.length === 0) throw failure(noPlacement(site, vpc));
  const reachable = site.reach === 'private' ? there : await withInternetRoute(ec2, there);
  if (reachable.length === 0) throw failure(noRoute(there));
  const usable = reachable.filter(it => it.freeAddresses > 0);
  return onePerZone(usable.length > 0 ? usable : reachable);
}

async function describeSubnets(ec2: Ec2, site: Site, vpc: string | undefined): Promise<readonly Candidate[]> {
  const Filters: Filter[] = [{ Name: 'state', Values: ['available'] }];
  if (site.subnet === undefined) {
    Filters.push(
      vpc === undefined ? { Name: 'default-for-az', Values: ['true'] } : { Name: 'vpc-id', Values: [vpc] },
    );
    if (site.availabilityZone !== undefined) {
      Filters.push({ Name: 'availability-zone', Values: [site.availabilityZone] });
    }
  }
  const SubnetIds = site.subnet === undefined ? {} : { SubnetIds: [site.subnet] };
  const subnets = await allPages(
    'DescribeSubnets',
    token => ec2('DescribeSubnets', { Filters, ...SubnetIds, ...token }),
    page => page.Subnets,
  );
  return subnets.flatMap(candidateOf);
}

function candidateOf(subnet: Subnet): readonly Candidate[] {
  const { SubnetId: subnetId, VpcId: vpcId, AvailabilityZone: availabilityZone = '' } = subnet;
  if (subnetId === undefined || vpcId === undefined) return [];
  return [{ subnetId, vpcId, availabilityZone, freeAddresses: subnet.AvailableIpAddressCount ?? 1 }];
}

/**
 * Whether a zone is one of the region itself: `us-west-2a`. A local zone is `us-west-2-lax-1a`, a wavelength zone
 * `us-east-1-wl1-bos-wlz-1`; they have few types, and other prices. (EC2 User Guide, "Regions and Zones")
 */
function isRegular(zone: string): boolean {
  return /^[a-z]+(-[a-z]+)+-\d+[a-z]$/.test(zone);
}

/** Those with a route to an internet gateway; all of them if the routes may not be described. */
async function withInternetRoute(ec2: Ec2, subnets: readonly Candidate[]): Promise<readonly Candidate[]> {
  const vpcs = [...new Set(subnets.map(it => it.vpcId))];
  const tables = await unless(
    isDenied,
    allPages(
      'DescribeRouteTables',
      token => ec2('DescribeRouteTables', { Filters: [{ Name: 'vpc-id', Values: vpcs }], ...token }),
      page => page.RouteTables,
    ),
  );
  if (tables === undefined) return subnets;
  return subnets.filter(subnet => {
    const table = tableOf(subnet, tables);
    return table?.Routes?.some(
      it =>
        it.DestinationCidrBlock === '0.0.0.0/0' &&
        it.GatewayId?.startsWith('igw-') === true &&
        it.State !== 'blackhole',
    );
  });
}

/** The subnet's own route table, else the main one of its VPC (VPC User Guide, "Subnet route tables"). */
function tableOf({ subnetId, vpcId }: Placement, tables: readonly RouteTable[]): RouteTable | undefined {
  return (
    tables.find(table => table.Associations?.some(it => it.SubnetId === subnetId)) ??
    tables.find(table => table.VpcId === vpcId && table.Associations?.some(it => it.Main === true))
  );
}

/** The subnet with the most free addresses in each VPC and zone. */
function onePerZone(candidates: readonly Candidate[]): readonly Placement[] {
  const zones = Map.groupBy(
    candidates.toSorted((a, b) => b.freeAddresses - a.freeAddresses),
    it => `${it.vpcId} ${it.availabilityZone}`,
  );
  return [...zones.values()].flatMap(([first]) => {
    if (first === undefined) return [];
    const { freeAddresses: _, ...placement } = first;
    return [placement];
  });
}

function noPlacement(site: Site, vpc: string | undefined): string {
  if (site.subnet !== undefined)
    return `[SLAVE] subnet: ${site.subnet} is not an available subnet of this region`;
  const where = vpc === undefined ? 'the default VPC of this region' : `${vpc}`;
  const zone = site.availabilityZone === undefined ? '' : ` in zone ${site.availabilityZone}`;
  return `no subnet for slaves: ${where} has none${zone}; set one in [SLAVE] subnet${zone === '' ? '' : ', or change [SLAVE] availability_zone'}`;
}

function noRoute(subnets: readonly Placement[]): string {
  const [first] = subnets;
  const which =
    subnets.length === 1
      ? `${first?.subnetId} has no`
      : `none of the ${subnets.length} subnets of ${first?.vpcId} has a`;
  return `no subnet for slaves: ${which} route to an internet gateway, so this machine cannot reach the public addresses of slaves there; name another one in [SLAVE] subnet, or add the route (0.0.0.0/0 to an internet gateway) to its route table`;
}
