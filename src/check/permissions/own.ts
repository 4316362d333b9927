import type { Ec2 } from '../../ec2/api.ts';
import { isDenied } from '../../ec2/errors.ts';
import { findOwnImages } from '../../image/images.ts';
import { findOwnTemplates } from '../../spot/launch-template.ts';
import { findOwnGroups } from '../../spot/security-group.ts';
import { ownedBy } from '../../spot/tags.ts';

/** One of each of this master's own, to try permissions on. */
export type OwnResources = {
  readonly securityGroup?: string;
  readonly launchTemplate?: string;
  readonly instance?: string;
  readonly spotRequest?: string;
  readonly volume?: { readonly id: string; readonly gib: number };
  readonly snapshot?: string;
  readonly image?: string;
};

/**
 * Finds them. What the user is not allowed to list counts as missing: its own trial reports that it is denied.
 *
 * @throws {Ec2Error}
 */
export async function ownResources(ec2: Ec2, master: string): Promise<OwnResources> {
  const [groups, templates, instances, requests, volumes, snapshots, images] = await Promise.all([
    seen(findOwnGroups(ec2, master)),
    seen(findOwnTemplates(ec2, master)),
    seen(
      ec2('DescribeInstances', {
        Filters: [ownedBy(master), { Name: 'instance-state-name', Values: ['pending', 'running'] }],
      }),
    ),
    seen(ec2('DescribeSpotInstanceRequests', { Filters: [ownedBy(master)] })),
    seen(ec2('DescribeVolumes', { Filters: [ownedBy(master)] })),
    seen(ec2('DescribeSnapshots', { OwnerIds: ['self'], Filters: [ownedBy(master)] })),
    seen(findOwnImages(ec2, master)),
  ]);
  const securityGroup = groups?.[0]?.GroupId;
  const launchTemplate = templates?.[0]?.id;
  const instance = instances?.Reservations?.[0]?.Instances?.[0]?.InstanceId;
  const spotRequest = requests?.SpotInstanceRequests?.[0]?.SpotInstanceRequestId;
  const volume = volumes?.Volumes?.[0];
  const image = images?.find(it => it.isComplete);
  const all = snapshots?.Snapshots?.map(it => it.SnapshotId ?? '') ?? [];
  // One that no image uses, where there is one.
  const snapshot = all.find(id => !image?.snapshots.includes(id)) ?? all[0];
  return {
    ...(securityGroup !== undefined && { securityGroup }),
    ...(launchTemplate !== undefined && { launchTemplate }),
    ...(instance !== undefined && { instance }),
    ...(spotRequest !== undefined && { spotRequest }),
    ...(volume?.VolumeId !== undefined && { volume: { id: volume.VolumeId, gib: volume.Size ?? 1 } }),
    ...(snapshot !== undefined && { snapshot }),
    ...(image !== undefined && { image: image.imageId }),
  };
}

async function seen<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isDenied(error)) return undefined;
    throw error;
  }
}
