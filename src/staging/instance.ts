import type { _InstanceType, BlockDeviceMapping, Instance, RunInstancesRequest } from '@aws-sdk/client-ec2';
import { type Clock, MINUTE, SECOND } from '../clock.ts';
import type { Ec2 } from '../ec2/api.ts';
import { isEc2Error, isNoCapacity, unlessGone } from '../ec2/errors.ts';
import { failure } from '../errors.ts';
import type { Placement } from '../spot/network.ts';
import { aliveTag, tagged } from '../spot/tags.ts';
import { ofRun, type Run, runTags } from './run.ts';
import { createGroup } from './security-group.ts';

/** What a staging instance is launched from. */
export type LaunchRequest = {
  readonly imageId: string;
  /** The root device as the image has it, and further volumes. */
  readonly devices: readonly BlockDeviceMapping[];
  /** In the order in which they are tried. */
  readonly instanceTypes: readonly string[];
  readonly placements: readonly Placement[];
  readonly reach: 'private' | 'public';
  /** The master's address, as the instance sees it. */
  readonly admitted: string;
  readonly userData: string;
};

/** A staging instance. */
export type StagingInstance = {
  readonly instanceId: string;
  readonly address: string;
  readonly instanceType: string;
};

const POLL_INTERVAL = SECOND;
/** From the launch to `running`; EC2 needs less than a minute. */
const RUNNING_LIMIT = 10 * MINUTE;

/**
 * Launches a staging instance into a security group of its own that allows ssh from the master alone. The launch itself
 * makes its volumes, and they end with it, so only the instance and the group can be left over. An instance that shuts
 * itself down terminates.
 *
 * @throws {UserError} when no type has capacity in any zone, or the instance ends at once
 * @throws {Ec2Error}
 */
export async function launchStaging(
  ec2: Ec2,
  run: Run,
  request: LaunchRequest,
  clock: Clock,
  signal: AbortSignal,
): Promise<StagingInstance> {
  const groups = new Map<string, string>();
  const refusals: string[] = [];
  const ended = new Set<string>();
  const pools = request.instanceTypes.flatMap(type => request.placements.map(place => ({ type, place })));
  for (const [attempt, { type, place }] of pools.entries()) {
    const group = groups.get(place.vpcId) ?? (await createGroup(ec2, run, place.vpcId, request.admitted));
    groups.set(place.vpcId, group);
    try {
      const pool = { type, subnetId: place.subnetId, group, attempt };
      await ec2('RunInstances', runInstances(run, request, pool, clock.wall()));
    } catch (error) {
      if (!isEc2Error(error) || !isNoCapacity(error)) throw error;
      refusals.push(`${type} in ${place.availabilityZone}: ${error.code}`);
      continue;
    }
    const instance = await untilRunning(ec2, run, request.reach, ended, clock, signal);
    if (!('refusal' in instance)) return instance;
    refusals.push(`${type} in ${place.availabilityZone}: ${instance.refusal}`);
  }
  throw failure(
    `EC2 cannot launch the staging instance in any of its types and zones (${refusals.join(', ')}); name more types in [SLAVE] instance_type, or try again later`,
  );
}

function runInstances(
  run: Run,
  request: LaunchRequest,
  pool: {
    readonly type: string;
    readonly subnetId: string;
    readonly group: string;
    readonly attempt: number;
  },
  now: number,
): RunInstancesRequest {
  const tags = runTags(run, `GBrowse staging of ${run.master}`);
  const network = { SubnetId: pool.subnetId, Groups: [pool.group] };
  return {
    // A token stands for the parameters too, so each attempt has its own.
    ClientToken: `${run.id}-${pool.attempt}`,
    MinCount: 1,
    MaxCount: 1,
    ImageId: request.imageId,
    // New types appear faster than the SDK's list of them.
    InstanceType: pool.type as _InstanceType,
    UserData: Buffer.from(request.userData).toString('base64'),
    BlockDeviceMappings: [...request.devices],
    InstanceInitiatedShutdownBehavior: 'terminate',
    MetadataOptions: { HttpTokens: 'required', HttpEndpoint: 'enabled' },
    ...(request.reach === 'public'
      ? { NetworkInterfaces: [{ DeviceIndex: 0, AssociatePublicIpAddress: true, ...network }] }
      : { SubnetId: pool.subnetId, SecurityGroupIds: [pool.group] }),
    TagSpecifications: [
      tagged('instance', [...tags, aliveTag(now)]),
      tagged('volume', tags),
      tagged('network-interface', tags),
    ],
  };
}

/** @param ended the instances of failed attempts; this one is added when it ends for lack of capacity */
async function untilRunning(
  ec2: Ec2,
  run: Run,
  reach: 'private' | 'public',
  ended: Set<string>,
  clock: Clock,
  signal: AbortSignal,
): Promise<StagingInstance | { readonly refusal: string }> {
  const until = clock.monotonic() + RUNNING_LIMIT;
  while (clock.monotonic() < until) {
    // By tag: a new instance may not be known by its id yet.
    const instance = (await instancesOf(ec2, run)).find(it => !ended.has(it.InstanceId ?? ''));
    const { InstanceId: instanceId, InstanceType: instanceType = '', State } = instance ?? {};
    const address = reach === 'private' ? instance?.PrivateIpAddress : instance?.PublicIpAddress;
    if (instanceId !== undefined && State?.Name === 'running' && address !== undefined && address !== '') {
      return { instanceId, address, instanceType };
    }
    if (State?.Name === 'terminated' || State?.Name === 'shutting-down') {
      const code = instance?.StateReason?.Code ?? '';
      if (code !== 'Server.InsufficientInstanceCapacity') throw endedAtOnce(instance ?? {});
      ended.add(instanceId ?? '');
      return { refusal: code };
    }
    await clock.sleep(POLL_INTERVAL, signal);
  }
  throw failure(
    `the staging instance was not running ${RUNNING_LIMIT / MINUTE} minutes after its launch${reach === 'public' ? ', or got no public address' : ''}`,
  );
}

/** The user guide, "Instance terminates immediately". */
function endedAtOnce({ InstanceId, StateReason }: Instance): Error {
  const { Code: code, Message: message } = StateReason ?? {};
  const why = message ?? code ?? 'EC2 does not say why';
  const named = code === undefined || why.startsWith(code) ? why : `${code}: ${why}`;
  const hint =
    code === 'Client.InternalError'
      ? ". The usual cause is a KMS key that this user or role may not use: the image, a data snapshot or the account's default encrypts volumes with it. Let the key's policy allow kms:CreateGrant, kms:Decrypt, kms:DescribeKey, kms:GenerateDataKeyWithoutPlaintext and kms:ReEncrypt*"
      : code === 'Client.VolumeLimitExceeded'
        ? '. Delete volumes, or ask AWS for a higher quota of EBS storage'
        : '';
  return failure(`the staging instance ${InstanceId} ended during its launch: ${named}${hint}`);
}

/** The instances of a run, those that have ended lately among them. */
async function instancesOf(ec2: Ec2, run: Run): Promise<readonly Instance[]> {
  const answer = await ec2('DescribeInstances', { Filters: ofRun(run) });
  return (answer.Reservations ?? []).flatMap(it => it.Instances ?? []);
}

/** Terminates the run's instances; their volumes end with them. */
export async function endStaging(ec2: Ec2, run: Run): Promise<void> {
  for (const { InstanceId, State } of await instancesOf(ec2, run)) {
    if (InstanceId === undefined || State?.Name === 'terminated') continue;
    await unlessGone(ec2('TerminateInstances', { InstanceIds: [InstanceId] }));
  }
}
