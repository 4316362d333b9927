import type { Instance, InstanceStateName, SpotInstanceRequest } from '@aws-sdk/client-ec2';
import { DATA_TAG, DRAINING_TAG, LAUNCH_TAG, PORTS_TAG, portsOfTag, tagValue } from './tags.ts';

/** A slave, as EC2 shows it now. */
export type Slave = {
  readonly instanceId: string;
  readonly state: InstanceStateName;
  /** EC2's launch time, wall clock ms. */
  readonly launchedAt: number;
  readonly instanceType: string;
  readonly availabilityZone: string;
  /** Where the master reaches it; unset while EC2 has not given it one. */
  readonly address?: string;
  readonly ports: readonly number[];
  /** Wall clock ms of its draining tag. */
  readonly drainingSince?: number;
  /** EC2 has marked it for termination, or is ending it. */
  readonly reclaimed: boolean;
  /** Somebody has terminated it, with this program or another. */
  readonly endedByUser: boolean;
  /** Why it ended or is about to, in EC2's words. */
  readonly reason?: string;
  /** The value of its data tag: the snapshots that it was made from, see `dataTag`. */
  readonly data: string;
  /** Its AMI; empty when EC2 does not say. */
  readonly imageId: string;
  /** The ClientToken of the launch that it came from. */
  readonly launchToken?: string;
  /** It is no spot instance: it has the full price, and EC2 does not take it back. */
  readonly onDemand?: true;
};

/** Status codes of a spot request that say that EC2 takes the instance back, some of them minutes before it does. */
export const RECLAIMING = [
  'marked-for-termination',
  'marked-for-stop',
  'instance-terminated-by-price',
  'instance-terminated-no-capacity',
  'instance-terminated-by-service',
  'instance-terminated-capacity-oversubscribed',
  'instance-terminated-launch-group-constraint',
];

/** The slave that a described instance is, or undefined when the answer lacks what every instance has. */
export function slaveOf(
  instance: Instance,
  request: SpotInstanceRequest | undefined,
  reach: 'private' | 'public',
): Slave | undefined {
  const state = instance.State?.Name;
  if (instance.InstanceId === undefined || state === undefined) return undefined;
  const address = reach === 'private' ? instance.PrivateIpAddress : instance.PublicIpAddress;
  const status = request?.Status?.Code;
  const reclaimed =
    (status !== undefined && RECLAIMING.includes(status)) ||
    instance.StateReason?.Code === 'Server.SpotInstanceTermination';
  const reason = reasonOf(instance) ?? (reclaimed ? `its spot request is ${status}` : undefined);
  const launchToken = tagValue(instance.Tags, LAUNCH_TAG);
  const draining = Date.parse(tagValue(instance.Tags, DRAINING_TAG) ?? '');
  return {
    instanceId: instance.InstanceId,
    state,
    launchedAt: instance.LaunchTime?.getTime() ?? 0,
    instanceType: instance.InstanceType ?? 'unknown',
    availabilityZone: instance.Placement?.AvailabilityZone ?? 'unknown',
    ports: portsOfTag(tagValue(instance.Tags, PORTS_TAG) ?? ''),
    reclaimed,
    endedByUser: instance.StateReason?.Code === 'Client.UserInitiatedShutdown',
    data: tagValue(instance.Tags, DATA_TAG) ?? '',
    imageId: instance.ImageId ?? '',
    ...(address !== undefined && address !== '' && { address }),
    ...(!Number.isNaN(draining) && { drainingSince: draining }),
    ...(reason !== undefined && { reason }),
    ...(launchToken !== undefined && { launchToken }),
    // AWS: absent for an instance that runs on demand.
    ...(instance.InstanceLifecycle === undefined && { onDemand: true }),
  };
}

/** Why it ended, in EC2's words; with advice if they do not help. */
function reasonOf({ StateReason: { Code, Message } = {} }: Instance): string | undefined {
  if (Code !== 'Client.InternalError') return Message;
  // EC2 says no more about a key that it could not use (EC2 User Guide, "Instance terminates immediately").
  return `${Message ?? Code}: most likely a KMS key that encrypts its volumes cannot be used by this user or role, which needs kms:CreateGrant, kms:Decrypt, kms:DescribeKey, kms:GenerateDataKeyWithoutPlaintext and kms:ReEncrypt* on it`;
}

/** Whether the instance still exists as far as costs are concerned: now, or once it runs again. */
export function isLive(slave: Slave): boolean {
  return slave.state !== 'shutting-down' && slave.state !== 'terminated';
}

/** The URLs at which GBrowse reaches the slave. */
export function urlsOf(address: string, ports: readonly number[]): string[] {
  const host = address.includes(':') ? `[${address}]` : address;
  return ports.map(port => `http://${host}:${port}`);
}
