import type {
  _InstanceType,
  DescribeInstancesRequest,
  DescribeInstancesResult,
  GetConsoleOutputRequest,
  GetConsoleOutputResult,
  InstanceStateName,
  Instance as SdkInstance,
  TerminateInstancesRequest,
  TerminateInstancesResult,
} from '@aws-sdk/client-ec2';
import type { Account, Instance } from './account.ts';
import { type Fields, passes } from './filters.ts';
import { ROOT_DEVICE } from './images-and-subnets.ts';
import { endLife, isShownAt, STATE_CODES, stateAt, stateReasonAt, transitionReasonAt } from './lifecycle.ts';
import { pageOf } from './paging.ts';
import { Refusal } from './refusal.ts';
import { type Tags, tagsAt, toSdkTags } from './tags.ts';

/** An instance as it was `lag` ago: what the Describe actions show. */
type Seen = {
  readonly instance: Instance;
  readonly sequence: number;
  readonly moment: number;
  readonly tags: Tags;
};

const FIELDS: Fields<Seen> = {
  'instance-id': it => it.instance.id,
  'instance-state-name': it => stateAt(it.instance, it.moment),
  'instance-state-code': it => String(STATE_CODES[stateAt(it.instance, it.moment)]),
  'instance-type': it => it.instance.instanceType,
  'instance-lifecycle': () => 'spot',
  'spot-instance-request-id': it => it.instance.spotRequest?.id,
  'availability-zone': it => it.instance.zone,
  'subnet-id': it => it.instance.subnetId,
  'image-id': it => it.instance.imageId,
  'instance.group-id': it => it.instance.groupIds,
  'private-ip-address': it => it.instance.privateAddress,
  'ip-address': it => it.instance.publicAddress,
};

export function describeInstances(
  account: Account,
  request: DescribeInstancesRequest,
): DescribeInstancesResult {
  const { InstanceIds, MaxResults } = request;
  if (InstanceIds !== undefined && MaxResults !== undefined) {
    throw new Refusal(
      'InvalidParameterCombination',
      'The parameter instancesSet cannot be used with the parameter maxResults',
    );
  }
  const asked = InstanceIds === undefined ? account.instances.values() : findInstances(account, InstanceIds);
  const matches = passes('DescribeInstances', request.Filters, FIELDS);
  const seen = Array.from(asked).flatMap(instance => {
    const it = seenNow(account, instance);
    return it !== undefined && matches(it) ? [it] : [];
  });
  const { items, next } = pageOf(seen, request);
  const reservations = Map.groupBy(items, it => it.instance.reservationId);
  return {
    Reservations: Array.from(reservations, ([ReservationId, members]) => ({
      ReservationId,
      OwnerId: account.settings.accountId,
      Instances: members.map(it => toSdkInstance(account, it)),
    })),
    ...next,
  };
}

/** All of them, or none: one id that is not (or not yet) there fails the whole call. Again and again is no error. */
export function terminateInstances(
  account: Account,
  request: TerminateInstancesRequest,
): TerminateInstancesResult {
  const ids = request.InstanceIds ?? [];
  if (ids.length === 0) {
    throw new Refusal('InvalidParameterCombination', 'No instances specified');
  }
  const instances = findInstances(account, ids);
  const now = account.now();
  return {
    TerminatingInstances: instances.map(instance => {
      const before = stateAt(instance, now);
      endLife(instance, now, { by: 'user' });
      const after = stateAt(instance, now);
      return {
        InstanceId: instance.id,
        CurrentState: { Name: after, Code: STATE_CODES[after] },
        PreviousState: { Name: before, Code: STATE_CODES[before] },
      };
    }),
  };
}

/** An instance that has just been launched has none yet. */
export function getConsoleOutput(
  account: Account,
  { InstanceId = '' }: GetConsoleOutputRequest,
): GetConsoleOutputResult {
  const [instance] = findInstances(account, [InstanceId]);
  const isUp = instance !== undefined && stateAt(instance, account.now()) === 'running';
  const text = isUp ? `Linux version 6.1.0\r\n${InstanceId} login: ` : '';
  return {
    InstanceId,
    Timestamp: new Date(account.now()),
    Output: Buffer.from(text).toString('base64'),
  };
}

/** @throws {Refusal} for an id that is malformed, or not shown: none of the ids counts then */
export function findInstances(account: Account, ids: readonly string[]): Instance[] {
  const malformed = ids.find(id => !/^i-([0-9a-f]{8}|[0-9a-f]{17})$/.test(id));
  if (malformed !== undefined) throw new Refusal('InvalidInstanceID.Malformed', `Invalid id: "${malformed}"`);
  const found = ids.flatMap(id => {
    const instance = account.instances.get(id);
    return instance !== undefined && seenNow(account, instance) !== undefined ? [instance] : [];
  });
  if (found.length === ids.length) return [...new Set(found)];
  const missing = ids.filter(id => !found.some(it => it.id === id));
  throw new Refusal(
    'InvalidInstanceID.NotFound',
    missing.length === 1
      ? `The instance ID '${missing[0]}' does not exist`
      : `The instance IDs '${missing.join(', ')}' do not exist`,
  );
}

function seenNow(account: Account, instance: Instance): Seen | undefined {
  const moment = account.now() - instance.lag;
  if (!isShownAt(instance, moment)) return undefined;
  return { instance, sequence: instance.sequence, moment, tags: tagsAt(instance.tags, moment) };
}

/** The SDK's type lists the types of its day; EC2 and this simulation know others. */
export function asInstanceType(instanceType: string): _InstanceType {
  return instanceType as _InstanceType;
}

/** What is terminated does not change any more, and is shown for an hour: it is made once. */
const remains = new WeakMap<Instance, { readonly tags: Tags; readonly shown: SdkInstance }>();

function toSdkInstance(account: Account, seen: Seen): SdkInstance {
  const { instance, moment, tags } = seen;
  const state = stateAt(instance, moment);
  if (state !== 'terminated') return describe(account, seen, state);
  const known = remains.get(instance);
  if (known?.tags === tags) return known.shown;
  const shown = Object.freeze(describe(account, seen, state));
  remains.set(instance, { tags, shown });
  return shown;
}

function describe(account: Account, { instance, moment, tags }: Seen, state: InstanceStateName): SdkInstance {
  const { data } = instance;
  const StateReason = stateReasonAt(instance, moment);
  return {
    InstanceId: instance.id,
    State: { Name: state, Code: STATE_CODES[state] },
    StateTransitionReason: transitionReasonAt(instance, moment),
    ...(StateReason !== undefined && { StateReason }),
    InstanceType: asInstanceType(instance.instanceType),
    ImageId: instance.imageId,
    LaunchTime: new Date(instance.bornAt),
    AmiLaunchIndex: instance.launchIndex,
    Placement: { AvailabilityZone: instance.zone, GroupName: '', Tenancy: 'default' },
    // AWS: absent for an instance that runs on demand.
    ...(instance.spotRequest !== undefined && {
      InstanceLifecycle: 'spot' as const,
      SpotInstanceRequestId: instance.spotRequest.id,
    }),
    ...(data.KeyName !== undefined && { KeyName: data.KeyName }),
    Architecture: 'x86_64',
    RootDeviceType: 'ebs',
    RootDeviceName: ROOT_DEVICE,
    MetadataOptions: {
      State: 'applied',
      HttpTokens: 'optional',
      HttpEndpoint: 'enabled',
      ...data.MetadataOptions,
    },
    // A terminated instance has nothing any more but its name and its reason.
    ...(state !== 'terminated' && attachments(account, instance, state !== 'pending')),
    Tags: toSdkTags(tags),
  };
}

/** Network and volumes: the private address is there from the start, the public one from running on. */
function attachments(account: Account, instance: Instance, isUp: boolean): SdkInstance {
  const SecurityGroups = instance.groupIds.map(GroupId => {
    const GroupName = account.groups.get(GroupId)?.name;
    return GroupName === undefined ? { GroupId } : { GroupId, GroupName };
  });
  return {
    VpcId: account.settings.vpcId,
    SubnetId: instance.subnetId,
    PrivateIpAddress: instance.privateAddress,
    PrivateDnsName: `ip-${instance.privateAddress.replaceAll('.', '-')}.${account.settings.region}.compute.internal`,
    ...(isUp && instance.publicAddress !== undefined && { PublicIpAddress: instance.publicAddress }),
    SecurityGroups,
    BlockDeviceMappings: instance.volumes.map(volume => ({
      DeviceName: volume.deviceName,
      Ebs: {
        VolumeId: volume.id,
        Status: 'attached',
        AttachTime: new Date(instance.bornAt),
        DeleteOnTermination: volume.deleteOnTermination,
      },
    })),
  };
}
