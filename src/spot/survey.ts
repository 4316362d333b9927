import type { SlaveConfig } from '../config/config.ts';
import type { Ec2 } from '../ec2/api.ts';
import type { Site } from '../master/site.ts';
import { findImage, type SlaveImage } from './image.ts';
import type { Pool } from './launch.ts';
import { findPlacements } from './network.ts';
import { findGivenGroup } from './security-group.ts';

/** What slaves can be launched from, and where. */
type Survey = {
  readonly image: SlaveImage;
  readonly vpcId: string;
  readonly pools: readonly Pool[];
  /** The group that the configuration names. */
  readonly securityGroupId?: string;
};

/**
 * Finds out what a launch needs, and changes nothing.
 *
 * @throws {UserError} when the configuration names something that is not there
 * @throws {Ec2Error}
 */
export async function survey(ec2: Ec2, site: Site, slave: SlaveConfig): Promise<Survey> {
  const image = await findImage(ec2, site, slave.imageOwners);
  const { securityGroup } = slave;
  const group = securityGroup === undefined ? undefined : await findGivenGroup(ec2, securityGroup, site.vpc);
  const placements = await findPlacements(ec2, site, group?.vpcId);
  const vpcId = placements[0]?.vpcId ?? '';
  const subnets = placements.filter(placement => placement.vpcId === vpcId);
  const pools = slave.instanceTypes.flatMap(instanceType =>
    subnets.map(({ subnetId }) => ({ instanceType, subnetId })),
  );
  return { image, vpcId, pools, ...(group && { securityGroupId: group.groupId }) };
}
