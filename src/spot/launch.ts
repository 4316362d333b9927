import type { _InstanceType, CreateFleetRequest, CreateFleetResult } from '@aws-sdk/client-ec2';
import { type Trouble, troubleOf } from '../ec2/errors.ts';
import { LAUNCH_TAG, ownTags, tagged } from './tags.ts';

/** Spot capacity of one instance type in one subnet. */
export type Pool = { readonly instanceType: string; readonly subnetId: string };

/** What slaves are launched from: a launch template, in whichever pool suits, for at most the bid (dollars an hour). */
export type LaunchPlan = {
  readonly templateId: string;
  /** The AMI, whatever the configuration calls it. */
  readonly imageId: string;
  readonly pools: readonly Pool[];
  readonly spotBid: number;
  /** What the administrator should know of it. */
  readonly warning?: string;
  /** Whether the launch template was there before: a predecessor has worked with it. */
  readonly found: boolean;
};

/**
 * One decision to launch. Its token goes with it until EC2 has answered, so that a call whose answer was lost is
 * repeated and never made twice; the plan stays the one it was made with, because a token names its parameters too.
 */
export type LaunchRequest = { readonly token: string; readonly count: number; readonly plan: LaunchPlan };

/** Why a pool gave nothing. */
export type Refusal = { readonly code: string; readonly trouble: Trouble; readonly message: string };

export type LaunchOutcome = {
  readonly instanceIds: readonly string[];
  readonly refusals: readonly Refusal[];
};

/** The CreateFleet call of a request (AWS: type `instant` asks once, synchronously, and leaves no standing request). */
export function createFleetRequest(request: LaunchRequest, master: string): CreateFleetRequest {
  const { plan } = request;
  return {
    Type: 'instant',
    ClientToken: request.token,
    TargetCapacitySpecification: {
      TotalTargetCapacity: request.count,
      DefaultTargetCapacityType: 'spot',
    },
    SpotOptions: { AllocationStrategy: 'price-capacity-optimized' },
    LaunchTemplateConfigs: [
      {
        LaunchTemplateSpecification: { LaunchTemplateId: plan.templateId, Version: '1' },
        Overrides: plan.pools.map(pool => ({
          // New types appear faster than the SDK's list of them.
          InstanceType: pool.instanceType as _InstanceType,
          SubnetId: pool.subnetId,
          MaxPrice: String(plan.spotBid),
        })),
      },
    ],
    TagSpecifications: [
      tagged('fleet', ownTags(master)),
      tagged('instance', [...ownTags(master), { Key: LAUNCH_TAG, Value: request.token }]),
    ],
  };
}

/** What came of it: CreateFleet answers with instances and errors side by side, with HTTP status 200. */
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
 * The refusal that decides how long to wait, of several: what holds for every pool first, then what one pool may have
 * at any moment; last what is wrong with some pools for ever (a type that a zone does not offer), which says nothing
 * about the others.
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
