import type * as sdk from '@aws-sdk/client-ec2';

/** The actions that the balancer calls, with their requests and answers. */
export type BalancerActions = {
  AuthorizeSecurityGroupIngress: [
    sdk.AuthorizeSecurityGroupIngressRequest,
    sdk.AuthorizeSecurityGroupIngressResult,
  ];
  CancelSpotInstanceRequests: [sdk.CancelSpotInstanceRequestsRequest, sdk.CancelSpotInstanceRequestsResult];
  CreateFleet: [sdk.CreateFleetRequest, sdk.CreateFleetResult];
  CreateLaunchTemplate: [sdk.CreateLaunchTemplateRequest, sdk.CreateLaunchTemplateResult];
  CreateSecurityGroup: [sdk.CreateSecurityGroupRequest, sdk.CreateSecurityGroupResult];
  CreateTags: [sdk.CreateTagsRequest, unknown];
  DeleteLaunchTemplate: [sdk.DeleteLaunchTemplateRequest, sdk.DeleteLaunchTemplateResult];
  DeleteSecurityGroup: [sdk.DeleteSecurityGroupRequest, unknown];
  DescribeImages: [sdk.DescribeImagesRequest, sdk.DescribeImagesResult];
  DescribeInstances: [sdk.DescribeInstancesRequest, sdk.DescribeInstancesResult];
  DescribeLaunchTemplates: [sdk.DescribeLaunchTemplatesRequest, sdk.DescribeLaunchTemplatesResult];
  DescribeRouteTables: [sdk.DescribeRouteTablesRequest, sdk.DescribeRouteTablesResult];
  DescribeSecurityGroups: [sdk.DescribeSecurityGroupsRequest, sdk.DescribeSecurityGroupsResult];
  DescribeSpotInstanceRequests: [
    sdk.DescribeSpotInstanceRequestsRequest,
    sdk.DescribeSpotInstanceRequestsResult,
  ];
  DescribeSubnets: [sdk.DescribeSubnetsRequest, sdk.DescribeSubnetsResult];
  RevokeSecurityGroupIngress: [sdk.RevokeSecurityGroupIngressRequest, sdk.RevokeSecurityGroupIngressResult];
  TerminateInstances: [sdk.TerminateInstancesRequest, sdk.TerminateInstancesResult];
};

/** Further actions, for finding and removing leftovers. */
export type LeftoverActions = {
  DeleteSnapshot: [sdk.DeleteSnapshotRequest, unknown];
  DeleteVolume: [sdk.DeleteVolumeRequest, unknown];
  DeregisterImage: [sdk.DeregisterImageRequest, unknown];
  DescribeSnapshots: [sdk.DescribeSnapshotsRequest, sdk.DescribeSnapshotsResult];
  DescribeVolumes: [sdk.DescribeVolumesRequest, sdk.DescribeVolumesResult];
};

/** Further actions of `check`. */
export type CheckActions = {
  DescribeInstanceTypes: [sdk.DescribeInstanceTypesRequest, sdk.DescribeInstanceTypesResult];
  DescribeKeyPairs: [sdk.DescribeKeyPairsRequest, sdk.DescribeKeyPairsResult];
  DescribeSpotPriceHistory: [sdk.DescribeSpotPriceHistoryRequest, sdk.DescribeSpotPriceHistoryResult];
  GetEbsDefaultKmsKeyId: [sdk.GetEbsDefaultKmsKeyIdRequest, sdk.GetEbsDefaultKmsKeyIdResult];
  GetEbsEncryptionByDefault: [sdk.GetEbsEncryptionByDefaultRequest, sdk.GetEbsEncryptionByDefaultResult];
};

/** Further actions of `sync`. */
export type SyncActions = {
  CreateSnapshots: [sdk.CreateSnapshotsRequest, sdk.CreateSnapshotsResult];
  DescribeVolumesModifications: [
    sdk.DescribeVolumesModificationsRequest,
    sdk.DescribeVolumesModificationsResult,
  ];
  ModifyVolume: [sdk.ModifyVolumeRequest, sdk.ModifyVolumeResult];
  RunInstances: [sdk.RunInstancesRequest, sdk.Reservation];
};

/** What `image` calls besides. */
export type ImageActions = {
  CreateImage: [sdk.CreateImageRequest, sdk.CreateImageResult];
  RunInstances: [sdk.RunInstancesRequest, sdk.Reservation];
};

/** What `logs` and `ssh` call besides. */
export type LoginActions = {
  GetConsoleOutput: [sdk.GetConsoleOutputRequest, sdk.GetConsoleOutputResult];
};

/** Every EC2 action that the program may call. */
export type Ec2Actions = BalancerActions &
  LeftoverActions &
  CheckActions &
  SyncActions &
  ImageActions &
  LoginActions;

/** The name of an EC2 action, as AWS spells it. */
export type Ec2Action = keyof Ec2Actions;

/** Whether an action changes nothing: EC2 names such actions `Describe…` and `Get…`. */
export function isRead(action: Ec2Action): boolean {
  return /^(Describe|Get)[A-Z]/.test(action);
}

/**
 * EC2, as one function: an action's name and its request to its answer. Behind it is the SDK, or the in-memory EC2 of
 * the tests. Makes one attempt, within its own time limit; the caller decides whether to repeat it.
 *
 * @throws {Ec2Error} for whatever goes wrong
 */
export type Ec2 = <A extends Ec2Action>(
  action: A,
  request: Ec2Actions[A][0],
  options?: { readonly signal?: AbortSignal },
) => Promise<Ec2Actions[A][1]>;
