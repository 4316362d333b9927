import type { FleetLaunchTemplateOverridesRequest, RequestLaunchTemplateData } from '@aws-sdk/client-ec2';
import { draw } from '../../../src/simulate/random.ts';
import { type Account, type Instance, isFreeAddress, type Template } from './account.ts';
import { findImage, findSubnet } from './images-and-subnets.ts';
import { poolOf } from './market.ts';
import { notServed, onlyServed, Refusal } from './refusal.ts';
import type { Pool } from './resources.ts';
import { findGroup } from './security-groups.ts';
import type { SubnetSettings } from './settings.ts';
import type { Tags } from './tags.ts';
import { type PlannedVolume, planVolumes } from './volumes.ts';

/** A launch that EC2 has checked: everything that it names is there. */
export type Plan = {
  readonly template: Template;
  readonly data: RequestLaunchTemplateData;
  readonly pool: Pool;
  readonly subnet: SubnetSettings;
  readonly imageId: string;
  readonly groupIds: readonly string[];
  readonly isPublic: boolean;
  readonly maxPrice?: number;
  readonly volumes: readonly PlannedVolume[];
};

/**
 * What a template and an override ask for together.
 *
 * @throws {Refusal} naming what is not there
 */
export function planLaunch(
  account: Account,
  template: Template,
  override: FleetLaunchTemplateOverridesRequest,
): Plan {
  onlyServed('Overrides', override, [
    'InstanceType',
    'SubnetId',
    'AvailabilityZone',
    'MaxPrice',
    'ImageId',
    'Priority',
  ]);
  const { data } = template;
  const instanceType = override.InstanceType ?? data.InstanceType;
  const imageId = override.ImageId ?? data.ImageId;
  if (imageId === undefined)
    throw new Refusal('MissingParameter', 'The request must contain the parameter ImageId');
  if (instanceType === undefined) {
    throw new Refusal('MissingParameter', 'The request must contain the parameter InstanceType');
  }
  const image = findImage(account, imageId);
  if (data.KeyName !== undefined && !account.keyPairs.has(data.KeyName)) {
    throw new Refusal('InvalidKeyPair.NotFound', `The key pair '${data.KeyName}' does not exist`);
  }
  const { subnet, pool } = placeOf(account, instanceType, data, override);
  return {
    template,
    data,
    pool,
    subnet,
    imageId,
    groupIds: groupsOf(account, data),
    isPublic: data.NetworkInterfaces?.[0]?.AssociatePublicIpAddress ?? true,
    ...(override.MaxPrice !== undefined && { maxPrice: priceOf(override.MaxPrice) }),
    volumes: planVolumes(account, image, data.BlockDeviceMappings ?? []),
  };
}

function placeOf(
  account: Account,
  instanceType: string,
  data: RequestLaunchTemplateData,
  override: FleetLaunchTemplateOverridesRequest,
): { subnet: SubnetSettings; pool: Pool } {
  const zone = override.AvailabilityZone;
  const subnetId = override.SubnetId ?? data.NetworkInterfaces?.[0]?.SubnetId;
  const candidates =
    subnetId === undefined
      ? account.settings.subnets.filter(it => it.zone === (zone ?? it.zone))
      : [findSubnet(account, subnetId)];
  const [first] = candidates;
  if (first === undefined) throw new Refusal('InvalidParameterValue', `Invalid availability zone: [${zone}]`);
  const offered = candidates.flatMap(subnet => {
    const pool = account.pools.get(`${instanceType} ${subnet.zone}`);
    return pool === undefined ? [] : [{ subnet, pool }];
  });
  // Left to EC2, the zone is the cheapest one.
  const [best] = offered.toSorted((a, b) => a.pool.price - b.pool.price);
  return best ?? { subnet: first, pool: poolOf(account, instanceType, first.zone) };
}

function groupsOf(account: Account, data: RequestLaunchTemplateData): string[] {
  const [card, ...more] = data.NetworkInterfaces ?? [];
  if (more.length > 0) throw notServed('more than one network interface');
  const own = [
    ...(data.SecurityGroupIds ?? []).map(id => findGroup(account, id).id),
    ...(data.SecurityGroups ?? []).map(name => findGroup(account, undefined, name).id),
  ];
  if (card !== undefined && own.length > 0) {
    throw new Refusal(
      'InvalidParameterCombination',
      'Network interfaces and an instance-level security groups may not be specified on the same request',
    );
  }
  const groups = [...own, ...(card?.Groups ?? []).map(id => findGroup(account, id).id)];
  return groups.length > 0 ? groups : [findGroup(account, undefined, 'default').id];
}

function priceOf(maxPrice: string): number {
  const price = Number(maxPrice);
  // AWS: a maximum price must be more than USD $0.001.
  if (!(price > 0.001))
    throw new Refusal('InvalidParameterValue', `Invalid value '${maxPrice}' for MaxPrice.`);
  return price;
}

/** Starts `count` instances of a plan, as one reservation. There must be room for them. */
export function launch(
  account: Account,
  plan: Plan,
  count: number,
  fleetId: string,
  tags: ReadonlyMap<string, Tags>,
  lifecycle: 'spot' | 'on-demand',
): Instance[] {
  const { random, settings } = account;
  const reservation = account.newResource('r', new Map());
  const of = (kind: string): Tags => tags.get(kind) ?? new Map();
  return Array.from({ length: count }, (_, launchIndex) => {
    const isFree = (address: string) => isFreeAddress(account, address);
    const privateAddress = account.subnetAddresses.get(plan.subnet.id)?.take(isFree);
    const publicAddress = plan.isPublic ? account.publicAddresses.take(isFree) : undefined;
    if (privateAddress === undefined) throw new Error(`${plan.subnet.id} has no address left`);
    const resource = account.newResource('i', of('instance'));
    const instance: Instance = {
      ...resource,
      runningAt: resource.bornAt + draw(random, settings.pendingTime),
      shutdownTime: draw(random, settings.shutdownTime),
      reservationId: reservation.id,
      launchIndex,
      fleetId,
      templateId: plan.template.id,
      instanceType: plan.pool.instanceType,
      zone: plan.pool.zone,
      subnetId: plan.subnet.id,
      imageId: plan.imageId,
      groupIds: plan.groupIds,
      privateAddress,
      ...(publicAddress !== undefined && { publicAddress }),
      data: plan.data,
      ...(lifecycle === 'spot' && {
        ...(plan.maxPrice !== undefined && { maxPrice: plan.maxPrice }),
        spotRequest: account.newResource('sir', of('spot-instances-request'), 8),
      }),
      volumes: plan.volumes.map(volume => ({ ...account.newResource('vol', of('volume')), ...volume })),
    };
    account.instances.set(instance.id, instance);
    account.occupants.set(privateAddress, instance);
    if (publicAddress !== undefined) account.occupants.set(publicAddress, instance);
    return instance;
  });
}
