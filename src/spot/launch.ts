import type { _InstanceType, CreateFleetRequest, CreateFleetResult } from '@aws-sdk/client-ec2';
import { type Trouble, troubleOf } from '../ec2/errors.ts';
import { LAUNCH_TAG, ownTags, tagged } from './tags.ts';

/** Capacity of one instance type in one subnet. */
export type Pool = { readonly instanceType: string; readonly subnetId: string };

/** `dearest`: the price in the dearest of the pools, dollars an hour. */
export type OnDemandPlan = {
  readonly templateId: string;
  readonly pools: readonly Pool[];
  readonly dearest: number;
};

export type VolumeCost = { readonly perHour: number } | { readonly unknown: string };

/** What slaves are launched from: a launch template, in any of the pools, for at most the bid (dollars an hour). */
export type LaunchPlan = {
  readonly templateId: string;
  /** The AMI, whatever the configuration calls it. */
  readonly imageId: string;
  readonly pools: readonly Pool[];
  readonly spotBid: number;
  /** What the volumes of a slave cost, US dollars an hour; or why that is not known. */
  readonly volumes?: VolumeCost;
  /** How slaves are bought on demand, where that is allowed: in the pools whose price is known. */
  readonly onDemand?: OnDemandPlan;
  /** What the administrator should know about it. */
  readonly warning?: string;
  /** Whether the launch template existed before: then a predecessor has used it. */
  readonly found: boolean;
};

/**
 * One decision to launch. It keeps its token until EC2 has answered, so that a call whose answer was lost is repeated
 * without launching twice; it also keeps its plan, because a token is bound to its parameters.
 */
export type LaunchRequest = {
  readonly token: string;
  readonly count: number;
  readonly plan: LaunchPlan;
  /** How they are bought on demand; unset: spot. */
  readonly onDemand?: OnDemandPlan;
};

/** Why a pool gave nothing. */
export type Refusal = { readonly code: string; readonly trouble: Trouble; readonly message: string };

export type LaunchOutcome = {
  readonly instanceIds: readonly string[];
  readonly refusals: readonly Refusal[];
};

/** The CreateFleet call of a request (AWS: type `instant` asks once, synchronously, and leaves no standing request). */
export function createFleetRequest(request: LaunchRequest, master: string): CreateFleetRequest {
  const { plan, onDemand } = request;
  const { templateId, pools } = onDemand ?? plan;
  return {
    Type: 'instant',
    ClientToken: request.token,
    TargetCapacitySpecification: {
      TotalTargetCapacity: request.count,
      DefaultTargetCapacityType: onDemand === undefined ? 'spot' : 'on-demand',
    },
    ...(onDemand === undefined
      ? { SpotOptions: { AllocationStrategy: 'price-capacity-optimized' } }
      : { OnDemandOptions: { AllocationStrategy: 'lowest-price' } }),
    LaunchTemplateConfigs: [
      {
        LaunchTemplateSpecification: { LaunchTemplateId: templateId, Version: '1' },
        Overrides: pools.map(pool => ({
          // New types appear faster than the SDK's list of them.
          InstanceType: pool.instanceType as _InstanceType,
          SubnetId: pool.subnetId,
          ...(onDemand === undefined && { MaxPrice: String(plan.spotBid) }),
        })),
      },
    ],
    TagSpecifications: [
      tagged('fleet', ownTags(master)),
      tagged('instance', [...ownTags(master), { Key: LAUNCH_TAG, Value: request.token }]),
    ],
  };
}

/** The outcome: CreateFleet answers with both instances and errors, with HTTP status 200. */
export function outcomeOf(result: CreateFleetResult): LaunchOutcome {
  const refusals = new Map<string, Refusal>();
  for (const error of result.Errors ?? []) {
    const code = error.ErrorCode ?? 'Unknown';
    const overrides = error.LaunchTemplateAndOverrides?.Overrides;
    const where = [overrides?.InstanceType, overrides?.AvailabilityZone ?? overrides?.SubnetId]
      .filter(it => it !== undefined)
      .join(' in ');
    const message = `${where === '' ? '' : `${where}: `}${error.ErrorMessage ?? code}`;
    if (!refusals.has(code)) refusals.set(code, { code, trouble: troubleOf({ code }), message });
  }
  return {
    instanceIds: (result.Instances ?? []).flatMap(it => it.InstanceIds ?? []),
    refusals: [...refusals.values()],
  };
}

/**
 * The refusal that decides how long to wait: first one that holds for every pool, then one that may pass in a pool at
 * any moment; last one that holds for some pools for ever (a type that a zone does not offer), which says nothing about
 * the others.
 */
export function worstRefusal(refusals: readonly Refusal[]): Refusal | undefined {
  const order: readonly Trouble[] = [
    'permission',
    'credentials',
    'quota',
    'price',
    'throttling',
    'service',
    'unreachable',
    'capacity',
    'gone',
    'request',
  ];
  const rank = (refusal: Refusal) => {
    const index = order.indexOf(refusal.trouble);
    return index === -1 ? order.length : index;
  };
  return refusals.toSorted((a, b) => rank(a) - rank(b))[0];
}
