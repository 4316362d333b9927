import type {
  CreateFleetResult,
  InstanceStateName,
  RequestLaunchTemplateData,
  SpotInstanceState,
} from '@aws-sdk/client-ec2';
import type { Account, Instance, Resource, Volume } from './account.ts';
import { admits } from './group-rules.ts';
import { isShownAt, requestAt, stateAt } from './lifecycle.ts';
import type { GroupRule } from './resources.ts';
import { type Tags, tagsAt, tagsAtBirth } from './tags.ts';
import { volumesOf } from './volumes.ts';

type TagRecord = Readonly<Record<string, string>>;

/** What every resource shows. Times are EC2's clock, ms since 1970. */
export type ResourceView = {
  readonly id: string;
  readonly bornAt: number;
  readonly tags: TagRecord;
  readonly tagsAtBirth: TagRecord;
};

export type InstanceView = ResourceView & {
  readonly state: InstanceStateName;
  readonly instanceType: string;
  readonly zone: string;
  readonly subnetId: string;
  readonly imageId: string;
  readonly groupIds: readonly string[];
  readonly privateAddress: string;
  /** From running on. */
  readonly publicAddress?: string;
  readonly runningAt: number;
  /** When it began to shut down, or will; unset while nothing ends it. */
  readonly endsAt?: number;
  /** When EC2 gave notice that it takes it back. */
  readonly noticedAt?: number;
  readonly maxPrice?: number;
  /** Unset: it runs on demand. */
  readonly spotRequestId?: string;
  readonly fleetId: string;
  readonly launchTemplateId: string;
  readonly launchTemplateData: RequestLaunchTemplateData;
  readonly volumes: readonly Pick<Volume, 'size' | 'type'>[];
};

export type SpotRequestView = ResourceView & {
  readonly instanceId: string;
  readonly state: SpotInstanceState;
  readonly statusCode: string;
};

export type GroupView = ResourceView & { readonly name: string; readonly rules: readonly GroupRule[] };
export type TemplateView = ResourceView & { readonly name: string; readonly data: RequestLaunchTemplateData };
export type FleetView = ResourceView & { readonly target: number; readonly result: CreateFleetResult };
export type VolumeView = ResourceView &
  Pick<Volume, 'deviceName' | 'size' | 'snapshotId' | 'deleteOnTermination'>;

export type SnapshotView = ResourceView & { readonly size: number; readonly isComplete: boolean };
export type KeyPairView = ResourceView & { readonly name: string };

/** The account as it truly is at this moment, without any lag. */
export type AccountView = {
  /** EC2's clock, ms since 1970. */
  now(): number;
  /** In the order of their launches; terminated ones for an hour. */
  instances(): readonly InstanceView[];
  instance(id: string): InstanceView | undefined;
  /** Who has this private or public address; an instance keeps both until it is terminated. */
  instanceAt(address: string): InstanceView | undefined;
  spotRequests(): readonly SpotRequestView[];
  /** The default group among them. */
  groups(): readonly GroupView[];
  launchTemplates(): readonly TemplateView[];
  fleets(): readonly FleetView[];
  volumes(): readonly VolumeView[];
  snapshots(): readonly SnapshotView[];
  keyPairs(): readonly KeyPairView[];
  /** Whether the groups of an instance let a TCP packet from there in. */
  admits(instanceId: string, port: number, fromAddress: string, fromGroups?: readonly string[]): boolean;
};

export function createAccountView(account: Account): AccountView {
  const instances = () => {
    const now = account.now();
    return [...account.instances.values()].filter(it => isShownAt(it, now));
  };
  const show = (instance: Instance) => instanceView(instance, account.now());
  return {
    now: account.now,
    instances: () => instances().map(show),
    instance(id) {
      const instance = account.instances.get(id);
      return instance === undefined ? undefined : show(instance);
    },
    instanceAt(address) {
      const instance = account.occupants.get(address);
      return instance === undefined || stateAt(instance, account.now()) === 'terminated'
        ? undefined
        : show(instance);
    },
    spotRequests: () =>
      instances().flatMap(instance => {
        if (instance.spotRequest === undefined) return [];
        const { State, Status } = requestAt(instance, account.now());
        return [
          {
            ...resourceView(instance.spotRequest, account.now()),
            instanceId: instance.id,
            state: State,
            statusCode: Status.Code,
          },
        ];
      }),
    groups: () =>
      Array.from(account.groups.values(), it => ({
        ...resourceView(it, account.now()),
        name: it.name,
        rules: it.rules,
      })),
    launchTemplates: () =>
      Array.from(account.templates.values(), it => ({
        ...resourceView(it, account.now()),
        name: it.name,
        data: it.data,
      })),
    fleets: () =>
      Array.from(account.fleets.values(), it => ({
        ...resourceView(it, account.now()),
        target: it.target,
        result: it.result,
      })),
    volumes: () =>
      volumesOf(account).map(it => ({
        ...resourceView(it, account.now()),
        deviceName: it.deviceName,
        size: it.size,
        ...(it.snapshotId !== undefined && { snapshotId: it.snapshotId }),
        deleteOnTermination: it.deleteOnTermination,
      })),
    snapshots: () =>
      Array.from(account.snapshots.values(), it => ({
        ...resourceView(it, account.now()),
        size: it.size,
        isComplete: it.completedAt <= account.now(),
      })),
    keyPairs: () =>
      Array.from(account.keyPairs.values(), it => ({ ...resourceView(it, account.now()), name: it.name })),
    admits(id, port, fromAddress, fromGroups) {
      const instance = account.instances.get(id);
      return instance !== undefined && admits(account, instance, port, fromAddress, fromGroups);
    },
  };
}

function resourceView(resource: Resource, now: number): ResourceView {
  return {
    id: resource.id,
    bornAt: resource.bornAt,
    tags: toRecord(tagsAt(resource.tags, now)),
    tagsAtBirth: toRecord(tagsAtBirth(resource.tags)),
  };
}

function instanceView(instance: Instance, now: number): InstanceView {
  const state = stateAt(instance, now);
  const { publicAddress, maxPrice, end, notice } = instance;
  return {
    ...resourceView(instance, now),
    state,
    instanceType: instance.instanceType,
    zone: instance.zone,
    subnetId: instance.subnetId,
    imageId: instance.imageId,
    groupIds: instance.groupIds,
    privateAddress: instance.privateAddress,
    ...(publicAddress !== undefined && state !== 'pending' && { publicAddress }),
    runningAt: instance.runningAt,
    ...(end !== undefined && { endsAt: end.at }),
    ...(notice !== undefined && { noticedAt: notice.at }),
    ...(maxPrice !== undefined && { maxPrice }),
    ...(instance.spotRequest !== undefined && { spotRequestId: instance.spotRequest.id }),
    fleetId: instance.fleetId,
    launchTemplateId: instance.templateId,
    launchTemplateData: instance.data,
    volumes: instance.volumes,
  };
}

/** Tags never change (they are replaced), and are looked at again and again. */
const records = new WeakMap<Tags, TagRecord>();

function toRecord(tags: Tags): TagRecord {
  const known = records.get(tags);
  if (known !== undefined) return known;
  const record = Object.freeze(Object.fromEntries(tags));
  records.set(tags, record);
  return record;
}
