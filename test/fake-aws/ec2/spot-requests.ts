import type {
  CancelSpotInstanceRequestsRequest,
  CancelSpotInstanceRequestsResult,
  DescribeSpotInstanceRequestsRequest,
  DescribeSpotInstanceRequestsResult,
  SpotInstanceRequest,
} from '@aws-sdk/client-ec2';
import type { Account, Instance, Resource } from './account.ts';
import { type Fields, passes } from './filters.ts';
import { asInstanceType } from './instances.ts';
import { isShownAt, requestAt } from './lifecycle.ts';
import { pageOf } from './paging.ts';
import { Refusal } from './refusal.ts';
import { type Tags, tagsAt, toSdkTags } from './tags.ts';

/** An instance with a request behind it. */
type SpotInstance = Instance & { readonly spotRequest: Resource };

/** A request as it was `lag` ago. */
type Seen = {
  readonly instance: SpotInstance;
  readonly sequence: number;
  readonly moment: number;
  readonly tags: Tags;
};

const FIELDS: Fields<Seen> = {
  'spot-instance-request-id': it => it.instance.spotRequest.id,
  'instance-id': it => it.instance.id,
  state: it => requestAt(it.instance, it.moment).State,
  'status-code': it => requestAt(it.instance, it.moment).Status.Code,
  type: () => 'one-time',
  'launched-availability-zone': it => it.instance.zone,
};

export function describeSpotInstanceRequests(
  account: Account,
  request: DescribeSpotInstanceRequestsRequest,
): DescribeSpotInstanceRequestsResult {
  const { SpotInstanceRequestIds } = request;
  const asked =
    SpotInstanceRequestIds === undefined
      ? spotInstances(account)
      : findByRequests(account, SpotInstanceRequestIds);
  const matches = passes('DescribeSpotInstanceRequests', request.Filters, FIELDS);
  const seen = Array.from(asked).flatMap(instance => {
    const it = seenNow(account, instance);
    return it !== undefined && matches(it) ? [it] : [];
  });
  const { items, next } = pageOf(seen, request);
  return { SpotInstanceRequests: items.map(toSdkRequest), ...next };
}

/** Cancels requests; their instances go on running. */
export function cancelSpotInstanceRequests(
  account: Account,
  request: CancelSpotInstanceRequestsRequest,
): CancelSpotInstanceRequestsResult {
  const now = account.now();
  return {
    CancelledSpotInstanceRequests: findByRequests(account, request.SpotInstanceRequestIds ?? []).map(
      instance => {
        if (requestAt(instance, now).State === 'active') instance.cancelledAt = now;
        const { State } = requestAt(instance, now);
        return {
          SpotInstanceRequestId: instance.spotRequest.id,
          State: State === 'closed' ? 'closed' : 'cancelled',
        };
      },
    ),
  };
}

function isSpot(instance: Instance): instance is SpotInstance {
  return instance.spotRequest !== undefined;
}

function spotInstances(account: Account): SpotInstance[] {
  return [...account.instances.values()].filter(isSpot);
}

/** @throws {Refusal} for an id that is not shown */
function findByRequests(account: Account, ids: readonly string[]): SpotInstance[] {
  const byRequest = new Map(spotInstances(account).map(it => [it.spotRequest.id, it]));
  return ids.map(id => {
    const instance = byRequest.get(id);
    if (instance !== undefined && seenNow(account, instance) !== undefined) return instance;
    throw new Refusal(
      'InvalidSpotInstanceRequestID.NotFound',
      `The spot instance request ID '${id}' does not exist`,
    );
  });
}

function seenNow(account: Account, instance: SpotInstance): Seen | undefined {
  const moment = account.now() - instance.spotRequest.lag;
  if (!isShownAt(instance, moment)) return undefined;
  return { instance, sequence: instance.sequence, moment, tags: tagsAt(instance.spotRequest.tags, moment) };
}

function toSdkRequest({ instance, moment, tags }: Seen): SpotInstanceRequest {
  const { data } = instance;
  return {
    SpotInstanceRequestId: instance.spotRequest.id,
    ...requestAt(instance, moment),
    Type: 'one-time',
    InstanceId: instance.id,
    CreateTime: new Date(instance.bornAt),
    LaunchedAvailabilityZone: instance.zone,
    ...(instance.maxPrice !== undefined && { SpotPrice: instance.maxPrice.toFixed(6) }),
    ProductDescription: 'Linux/UNIX',
    InstanceInterruptionBehavior: 'terminate',
    LaunchSpecification: {
      ImageId: instance.imageId,
      InstanceType: asInstanceType(instance.instanceType),
      SubnetId: instance.subnetId,
      Placement: { AvailabilityZone: instance.zone },
      SecurityGroups: instance.groupIds.map(GroupId => ({ GroupId })),
      ...(data.KeyName !== undefined && { KeyName: data.KeyName }),
    },
    Tags: toSdkTags(tags),
  };
}
