import { isIPv6 } from 'node:net';
import type { _InstanceType, BlockDeviceMapping, Instance, RunInstancesRequest } from '@aws-sdk/client-ec2';
import { type Clock, MINUTE, SECOND } from '../clock.ts';
import type { Ec2 } from '../ec2/api.ts';
import { isDuplicate, isEc2Error, isInUse, isNoCapacity, unlessGone } from '../ec2/errors.ts';
import { failure } from '../errors.ts';
import type { Placement } from '../spot/network.ts';
import { aliveTag, tagged } from '../spot/tags.ts';
import { ofRun, runTags } from './run.ts';

/** One run of sync: its master, and its id, which is in the tag of everything that it makes. */
export type Run = { readonly master: string; readonly id: string };

/** What the staging instance is launched from. */
export type StagingPlan = {
  readonly imageId: string;
  /** The root device as the image has it, and the data volumes. */
  readonly devices: readonly BlockDeviceMapping[];
  /** In the order in which they are tried. */
  readonly instanceTypes: readonly string[];
  readonly placements: readonly Placement[];
  readonly reach: 'private' | 'public';
  /** The master's address, as the instance sees it. */
  readonly admitted: string;
  readonly userData: string;
};

/** The staging instance. */
export type Staging = {
  readonly instanceId: string;
  readonly address: string;
  readonly instanceType: string;
};

const LOOK_AGAIN = SECOND;
/** From the launch to `running`, and from the order to end to the end; EC2 needs less than a minute for either. */
const RUNNING_LIMIT = 10 * MINUTE;
const ENDING_LIMIT = 10 * MINUTE;

/**
 * Launches the staging instance into a security group of its own that lets in the master's ssh alone. Its volumes are made
 * by the launch itself and end with it, so nothing can be left over but the instance and the group; and an instance
 * that shuts itself down is gone.
 *
 * @throws {UserError} when there is no capacity for it
 * @throws {Ec2Error}
 */
export async function launchStaging(
  ec2: Ec2,
  run: Run,
  plan: StagingPlan,
  clock: Clock,
  signal: AbortSignal,
): Promise<Staging> {
  const groups = new Map<string, string>();
  const refusals: string[] = [];
  const pools = plan.instanceTypes.flatMap(type => plan.placements.map(place => ({ type, place })));
  for (const [at, { type, place }] of pools.entries()) {
    const group = groups.get(place.vpcId) ?? (await createGroup(ec2, run, place.vpcId, plan.admitted));
    groups.set(place.vpcId, group);
    try {
      await ec2('RunInstances', launchRequest(run, plan, type, place.subnetId, group, at, clock.wall()));
      return await untilRunning(ec2, run, plan.reach, clock, signal);
    } catch (error) {
      if (!isEc2Error(error) || !isNoCapacity(error)) throw error;
      refusals.push(`${type} in ${place.availabilityZone}: ${error.code}`);
    }
  }
  throw failure(
    `EC2 has no capacity for the staging instance now (${refusals.join(', ')}); name more types in [SLAVE] instance_type, or try again later`,
  );
}

function launchRequest(
  run: Run,
  plan: StagingPlan,
  type: string,
  subnetId: string,
  group: string,
  attempt: number,
  now: number,
): RunInstancesRequest {
  const tags = runTags(run.master, run.id, `GBrowse sync staging of ${run.master}`);
  const network = { SubnetId: subnetId, Groups: [group] };
  return {
    // A token names the parameters too, so each attempt with others has its own.
    ClientToken: `${run.id}-${attempt}`,
    MinCount: 1,
    MaxCount: 1,
    ImageId: plan.imageId,
    // New types appear faster than the SDK's list of them.
    InstanceType: type as _InstanceType,
    UserData: Buffer.from(plan.userData).toString('base64'),
    BlockDeviceMappings: [...plan.devices],
    InstanceInitiatedShutdownBehavior: 'terminate',
    MetadataOptions: { HttpTokens: 'required', HttpEndpoint: 'enabled' },
    ...(plan.reach === 'public'
      ? { NetworkInterfaces: [{ DeviceIndex: 0, AssociatePublicIpAddress: true, ...network }] }
      : { SubnetId: subnetId, SecurityGroupIds: [group] }),
    TagSpecifications: [
      tagged('instance', [...tags, aliveTag(now)]),
      tagged('volume', tags),
      tagged('network-interface', tags),
    ],
  };
}

async function createGroup(ec2: Ec2, run: Run, vpcId: string, address: string): Promise<string> {
  const name = `gbrowse-aws-balancer sync ${run.id}`;
  let groupId: string | undefined;
  try {
    const created = await ec2('CreateSecurityGroup', {
      GroupName: name,
      Description: 'GBrowse sync staging: lets in ssh from its master alone',
      VpcId: vpcId,
      TagSpecifications: [tagged('security-group', runTags(run.master, run.id, name))],
    });
    groupId = created.GroupId;
  } catch (error) {
    // Made by a call whose answer was lost: the name has this run's id.
    if (!isDuplicate(error)) throw error;
    const found = await ec2('DescribeSecurityGroups', {
      Filters: [...ofRun(run.master, run.id), { Name: 'vpc-id', Values: [vpcId] }],
    });
    groupId = found.SecurityGroups?.[0]?.GroupId;
  }
  if (groupId === undefined) throw failure(`EC2 has made the security group "${name}" but does not show it`);
  const source = isIPv6(address)
    ? { Ipv6Ranges: [{ CidrIpv6: `${address}/128`, Description: 'GBrowse master' }] }
    : { IpRanges: [{ CidrIp: `${address}/32`, Description: 'GBrowse master' }] };
  try {
    await ec2('AuthorizeSecurityGroupIngress', {
      GroupId: groupId,
      IpPermissions: [{ IpProtocol: 'tcp', FromPort: 22, ToPort: 22, ...source }],
    });
  } catch (error) {
    if (!isDuplicate(error)) throw error;
  }
  return groupId;
}

async function untilRunning(
  ec2: Ec2,
  run: Run,
  reach: 'private' | 'public',
  clock: Clock,
  signal: AbortSignal,
): Promise<Staging> {
  const until = clock.monotonic() + RUNNING_LIMIT;
  while (clock.monotonic() < until) {
    // By tag: a new instance may not be known by its id yet.
    const instance = (await instancesOf(ec2, run)).at(0);
    const address = reach === 'private' ? instance?.PrivateIpAddress : instance?.PublicIpAddress;
    const state = instance?.State?.Name;
    if (
      instance?.InstanceId !== undefined &&
      state === 'running' &&
      address !== undefined &&
      address !== ''
    ) {
      const { InstanceId: instanceId, InstanceType: instanceType = '' } = instance;
      return { instanceId, address, instanceType };
    }
    if (state === 'terminated' || state === 'shutting-down') {
      throw failure(
        `the staging instance ${instance?.InstanceId} ended while it was launched: ${instance?.StateReason?.Message ?? 'EC2 does not say why'}`,
      );
    }
    await clock.sleep(LOOK_AGAIN, signal);
  }
  throw failure(
    `the staging instance was not running ${RUNNING_LIMIT / MINUTE} minutes after its launch${reach === 'public' ? ', or got no public address' : ''}`,
  );
}

/** The instances of a run, those that have ended lately among them. */
export async function instancesOf(ec2: Ec2, run: Run): Promise<readonly Instance[]> {
  const answer = await ec2('DescribeInstances', { Filters: ofRun(run.master, run.id) });
  return (answer.Reservations ?? []).flatMap(it => it.Instances ?? []);
}

/** Orders the end of the run's instances; their volumes end with them. */
export async function endStaging(ec2: Ec2, run: Run): Promise<void> {
  for (const { InstanceId, State } of await instancesOf(ec2, run)) {
    if (InstanceId === undefined || State?.Name === 'terminated') continue;
    await unlessGone(ec2('TerminateInstances', { InstanceIds: [InstanceId] }));
  }
}

/** Deletes the groups of a run, as soon as EC2 lets it: not before its instances are gone. */
export async function removeGroups(ec2: Ec2, run: Run, clock: Clock): Promise<void> {
  const until = clock.monotonic() + ENDING_LIMIT;
  const found = await ec2('DescribeSecurityGroups', { Filters: ofRun(run.master, run.id) });
  for (const { GroupId } of found.SecurityGroups ?? []) {
    for (let gone = GroupId === undefined; !gone; ) {
      try {
        await unlessGone(ec2('DeleteSecurityGroup', { GroupId }));
        gone = true;
      } catch (error) {
        if (!isInUse(error) || clock.monotonic() >= until) throw error;
        await clock.sleep(LOOK_AGAIN);
      }
    }
  }
}
