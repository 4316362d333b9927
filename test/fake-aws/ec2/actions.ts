import type { Ec2Action, Ec2Actions } from '../../../src/ec2/api.ts';
import type { Account } from './account.ts';
import { createTags } from './create-tags.ts';
import { deleteVolume, describeVolumes } from './describe-volumes.ts';
import { createFleet } from './fleets.ts';
import { describeImages, describeRouteTables, describeSubnets } from './images-and-subnets.ts';
import { describeInstances, findInstances, getConsoleOutput, terminateInstances } from './instances.ts';
import { describeKeyPairs } from './key-pairs.ts';
import { createLaunchTemplate, deleteLaunchTemplate, describeLaunchTemplates } from './launch-templates.ts';
import { notServed, onlyServed, Refusal } from './refusal.ts';
import {
  authorizeSecurityGroupIngress,
  createSecurityGroup,
  deleteSecurityGroup,
  describeSecurityGroups,
  revokeSecurityGroupIngress,
} from './security-groups.ts';
import { createSnapshots, deleteSnapshot, describeSnapshots } from './snapshots.ts';
import { describeSpotPriceHistory } from './spot-prices.ts';
import { cancelSpotInstanceRequests, describeSpotInstanceRequests } from './spot-requests.ts';

/** What an action does to the account, and the parameters that it understands. */
type Handler<A extends Ec2Action> = {
  readonly run: (account: Account, request: Ec2Actions[A][0]) => Ec2Actions[A][1];
  readonly served: readonly (keyof Ec2Actions[A][0])[];
};

const PAGE = ['Filters', 'MaxResults', 'NextToken'] as const;

const HANDLERS: { readonly [A in Ec2Action]?: Handler<A> } = {
  AuthorizeSecurityGroupIngress: {
    run: authorizeSecurityGroupIngress,
    served: ['GroupId', 'GroupName', 'IpPermissions'],
  },
  CancelSpotInstanceRequests: { run: cancelSpotInstanceRequests, served: ['SpotInstanceRequestIds'] },
  CreateFleet: {
    run: createFleet,
    served: [
      'ClientToken',
      'LaunchTemplateConfigs',
      'OnDemandOptions',
      'SpotOptions',
      'TagSpecifications',
      'TargetCapacitySpecification',
      'Type',
    ],
  },
  CreateLaunchTemplate: {
    run: createLaunchTemplate,
    served: [
      'ClientToken',
      'LaunchTemplateData',
      'LaunchTemplateName',
      'TagSpecifications',
      'VersionDescription',
    ],
  },
  CreateSecurityGroup: {
    run: createSecurityGroup,
    served: ['Description', 'GroupName', 'TagSpecifications', 'VpcId'],
  },
  CreateSnapshots: {
    run: createSnapshots,
    served: ['Description', 'InstanceSpecification', 'TagSpecifications'],
  },
  CreateTags: { run: createTags, served: ['Resources', 'Tags'] },
  DeleteLaunchTemplate: {
    run: deleteLaunchTemplate,
    served: ['LaunchTemplateId', 'LaunchTemplateName'],
  },
  DeleteSecurityGroup: { run: deleteSecurityGroup, served: ['GroupId', 'GroupName'] },
  DeleteSnapshot: { run: deleteSnapshot, served: ['SnapshotId'] },
  DeleteVolume: { run: deleteVolume, served: ['VolumeId'] },
  DescribeImages: { run: describeImages, served: ['Filters', 'ImageIds', 'IncludeDeprecated', 'Owners'] },
  DescribeInstances: { run: describeInstances, served: [...PAGE, 'InstanceIds'] },
  DescribeKeyPairs: { run: describeKeyPairs, served: ['Filters', 'KeyNames', 'KeyPairIds'] },
  DescribeLaunchTemplates: {
    run: describeLaunchTemplates,
    served: [...PAGE, 'LaunchTemplateIds', 'LaunchTemplateNames'],
  },
  DescribeRouteTables: { run: describeRouteTables, served: ['Filters'] },
  DescribeSecurityGroups: { run: describeSecurityGroups, served: [...PAGE, 'GroupIds', 'GroupNames'] },
  DescribeSnapshots: { run: describeSnapshots, served: [...PAGE, 'OwnerIds', 'SnapshotIds'] },
  DescribeSpotInstanceRequests: {
    run: describeSpotInstanceRequests,
    served: [...PAGE, 'SpotInstanceRequestIds'],
  },
  DescribeSpotPriceHistory: {
    run: describeSpotPriceHistory,
    served: ['InstanceTypes', 'MaxResults', 'NextToken', 'ProductDescriptions', 'StartTime'],
  },
  DescribeSubnets: { run: describeSubnets, served: ['Filters', 'SubnetIds'] },
  DescribeVolumes: { run: describeVolumes, served: [...PAGE, 'VolumeIds'] },
  GetConsoleOutput: { run: getConsoleOutput, served: ['InstanceId', 'Latest'] },
  RevokeSecurityGroupIngress: {
    run: revokeSecurityGroupIngress,
    served: ['GroupId', 'GroupName', 'IpPermissions'],
  },
  TerminateInstances: { run: terminateInstances, served: ['InstanceIds'] },
};

/**
 * One action, at once.
 *
 * @throws {Refusal} what EC2 would answer
 * @throws {Error} for a request that this stand-in does not understand
 */
export function serve<A extends Ec2Action>(
  account: Account,
  action: A,
  request: Ec2Actions[A][0],
): Ec2Actions[A][1] {
  const handler = HANDLERS[action];
  if (handler === undefined) throw notServed(action);
  const { run, served } = handler;
  onlyServed(action, request, [...served, 'DryRun']);
  if (request.DryRun === true) {
    // AWS looks for the instances before it says whether one may.
    if ('InstanceIds' in request) findInstances(account, request.InstanceIds ?? []);
    throw new Refusal('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.');
  }
  account.sweep();
  return run(account, request);
}
