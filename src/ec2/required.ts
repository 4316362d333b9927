import type { Ec2Action, Ec2Actions } from './api.ts';

/** Whether there is a list (it may be empty) whose items have all required fields. */
function each<T>(items: readonly T[] | undefined, has: (item: T) => unknown): boolean {
  return items?.every(it => Boolean(has(it))) ?? false;
}

/**
 * What an answer cannot lack, by action: where a list is missing, "there is none" would be a guess, and an item without
 * its id cannot be acted on. (EC2 API Reference, response elements; actions that answer only that they were done have
 * nothing here.)
 */
const REQUIRED: { readonly [A in Ec2Action]?: (answer: Ec2Actions[A][1]) => boolean } = {
  CreateFleet: it => Boolean(it.FleetId) && each(it.Instances ?? [], one => one.InstanceIds?.every(Boolean)),
  CreateLaunchTemplate: it => Boolean(it.LaunchTemplate?.LaunchTemplateId),
  CreateSecurityGroup: it => Boolean(it.GroupId),
  CreateSnapshots: it => each(it.Snapshots, one => one.SnapshotId && one.VolumeId),
  DescribeImages: it => each(it.Images, one => one.ImageId),
  DescribeInstances: it =>
    each(it.Reservations, ({ Instances }) => each(Instances, one => one.InstanceId && one.State?.Name)),
  DescribeInstanceTypes: it => each(it.InstanceTypes, one => one.InstanceType),
  DescribeKeyPairs: it => each(it.KeyPairs, one => one.KeyPairId),
  DescribeLaunchTemplates: it => each(it.LaunchTemplates, one => one.LaunchTemplateId),
  DescribeRouteTables: it => each(it.RouteTables, one => one.RouteTableId),
  DescribeSecurityGroups: it => each(it.SecurityGroups, one => one.GroupId),
  DescribeSnapshots: it => each(it.Snapshots, one => one.SnapshotId && one.State),
  DescribeSpotInstanceRequests: it => each(it.SpotInstanceRequests, one => one.SpotInstanceRequestId),
  DescribeSpotPriceHistory: it => each(it.SpotPriceHistory, one => one.SpotPrice && one.InstanceType),
  DescribeSubnets: it => each(it.Subnets, one => one.SubnetId && one.VpcId),
  DescribeVolumes: it => each(it.Volumes, one => one.VolumeId && one.State),
  DescribeVolumesModifications: it => each(it.VolumesModifications, one => one.VolumeId),
  GetConsoleOutput: it => Boolean(it.InstanceId),
  GetEbsDefaultKmsKeyId: it => Boolean(it.KmsKeyId),
  GetEbsEncryptionByDefault: it => it.EbsEncryptionByDefault !== undefined,
  ModifyVolume: it => Boolean(it.VolumeModification?.VolumeId),
  RunInstances: it => (it.Instances?.length ?? 0) > 0 && each(it.Instances, one => one.InstanceId),
  TerminateInstances: it => each(it.TerminatingInstances, one => one.InstanceId),
};

/** Whether an answer has all that every answer to this action has. */
export function isComplete<A extends Ec2Action>(action: A, answer: Ec2Actions[A][1]): boolean {
  return REQUIRED[action]?.(answer) ?? true;
}
