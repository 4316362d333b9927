import type { Filter } from '@aws-sdk/client-ec2';
import type { Ec2 } from '../ec2/api.ts';
import { failure } from '../errors.ts';
import type { Site } from '../master/site.ts';

/** A subnet that slaves may be launched into. */
export type Placement = {
  readonly subnetId: string;
  readonly vpcId: string;
  readonly availabilityZone: string;
};

/**
 * The subnets that slaves may be launched into: the one that the configuration names or the master stands in, else the
 * master's VPC, else (outside EC2) the VPC of the given security group or the default one; of these all that have a
 * free address, in the zone that `availability_zone` names when it does.
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
  const filters: Filter[] = [{ Name: 'state', Values: ['available'] }];
  if (site.subnet === undefined) {
    filters.push(
      vpc === undefined ? { Name: 'default-for-az', Values: ['true'] } : { Name: 'vpc-id', Values: [vpc] },
    );
    if (site.availabilityZone !== undefined) {
      filters.push({ Name: 'availability-zone', Values: [site.availabilityZone] });
    }
  }
  const answer = await ec2('DescribeSubnets', {
    Filters: filters,
    ...(site.subnet !== undefined && { SubnetIds: [site.subnet] }),
  });
  const placements = (answer.Subnets ?? []).flatMap(subnet =>
    subnet.SubnetId !== undefined && subnet.VpcId !== undefined
      ? [
          {
            subnetId: subnet.SubnetId,
            vpcId: subnet.VpcId,
            availabilityZone: subnet.AvailabilityZone ?? '',
            free: subnet.AvailableIpAddressCount ?? 1,
          },
        ]
      : [],
  );
  const usable = placements.filter(it => it.free > 0);
  const chosen = usable.length > 0 ? usable : placements;
  if (chosen.length === 0) throw failure(noPlacement(site, vpc));
  return chosen.map(({ free: _, ...placement }) => placement);
}

function noPlacement(site: Site, vpc: string | undefined): string {
  if (site.subnet !== undefined)
    return `[SLAVE] subnet: ${site.subnet} is not an available subnet of this region`;
  const where = vpc === undefined ? 'the default VPC of this region' : `${vpc}`;
  const zone = site.availabilityZone === undefined ? '' : ` in zone ${site.availabilityZone}`;
  return `no subnet for slaves: ${where} has none${zone}; name one in [SLAVE] subnet${zone === '' ? '' : ', or change [SLAVE] availability_zone'}`;
}
