import type {
  CreateFleetError,
  CreateFleetInstance,
  CreateFleetRequest,
  CreateFleetResult,
  FleetLaunchTemplateConfigRequest,
  FleetLaunchTemplateOverridesRequest,
  LaunchTemplateAndOverridesResponse,
  SpotAllocationStrategy,
} from '@aws-sdk/client-ec2';
import type { Account, Template } from './account.ts';
import { once } from './idempotency.ts';
import { zoneId } from './images-and-subnets.ts';
import { asInstanceType } from './instances.ts';
import { launch, type Plan, planLaunch } from './launch.ts';
import { findTemplate, TAGGED_AT_LAUNCH } from './launch-templates.ts';
import { onDemandRoomIn, roomIn, spareCapacity } from './market.ts';
import { notServed, onlyServed, Refusal } from './refusal.ts';
import { readTagSpecifications, type Tags } from './tags.ts';

/** A template with one override: one of the pools that the fleet may take instances from. */
type Candidate = {
  readonly template: Template;
  readonly override: FleetLaunchTemplateOverridesRequest;
  readonly shown: LaunchTemplateAndOverridesResponse;
};

/** How many instances of which kind. */
type Target = { readonly count: number; readonly lifecycle: 'spot' | 'on-demand' };

/** An instant fleet, of spot instances or on demand: what it could not launch stands in `Errors[]`, beside what it could. */
export function createFleet(account: Account, request: CreateFleetRequest): CreateFleetResult {
  return once(account.tokens, account.now(), 'CreateFleet', request, () => {
    const target = checkForm(request);
    const tags = readTagSpecifications(request.TagSpecifications, [
      'fleet',
      'instance',
      'volume',
      'network-interface',
    ]);
    const candidates = (request.LaunchTemplateConfigs ?? []).flatMap(config => candidatesOf(account, config));
    refuseDuplicates(account, candidates);
    const fleet = account.newResource('fleet', tags.get('fleet') ?? new Map(), 32);
    // AWS's ids of fleets are UUIDs.
    const id = fleet.id.replace(/^fleet-(.{8})(.{4})(.{4})(.{4})/, 'fleet-$1-$2-$3-$4-');
    const result = { FleetId: id, ...fulfil(account, id, request, candidates, target, tags) };
    account.fleets.set(id, { ...fleet, id, target: target.count, result });
    return result;
  });
}

function checkForm(request: CreateFleetRequest): Target {
  if (request.Type !== 'instant') throw notServed(`CreateFleet of type ${request.Type}`);
  onlyServed('SpotOptions', request.SpotOptions, ['AllocationStrategy', 'InstanceInterruptionBehavior']);
  onlyServed('OnDemandOptions', request.OnDemandOptions, ['AllocationStrategy']);
  const capacity = request.TargetCapacitySpecification;
  onlyServed('TargetCapacitySpecification', capacity, [
    'TotalTargetCapacity',
    'SpotTargetCapacity',
    'OnDemandTargetCapacity',
    'DefaultTargetCapacityType',
  ]);
  const { TotalTargetCapacity: count = 0, DefaultTargetCapacityType: lifecycle } = capacity ?? {};
  if (!(Number.isInteger(count) && count > 0)) {
    throw new Refusal('InvalidParameterValue', 'TotalTargetCapacity must be a whole number above 0');
  }
  if (lifecycle !== 'spot' && lifecycle !== 'on-demand') throw notServed(`capacity of type ${lifecycle}`);
  const own = lifecycle === 'spot' ? capacity?.SpotTargetCapacity : capacity?.OnDemandTargetCapacity;
  const other = lifecycle === 'spot' ? capacity?.OnDemandTargetCapacity : capacity?.SpotTargetCapacity;
  if ((own ?? count) !== count || (other ?? 0) !== 0) throw notServed('a mixed fleet');
  return { count, lifecycle };
}

function candidatesOf(account: Account, config: FleetLaunchTemplateConfigRequest): Candidate[] {
  const { LaunchTemplateId, LaunchTemplateName, Version } = config.LaunchTemplateSpecification ?? {};
  const template = findTemplate(account, LaunchTemplateId, LaunchTemplateName);
  if (Version === undefined) {
    throw new Refusal('MissingParameter', 'The launch template version must be specified');
  }
  if (!['1', '$Latest', '$Default'].includes(Version)) {
    throw new Refusal(
      'InvalidLaunchTemplateId.VersionNotFound',
      `Could not find launch template version ${Version} of ${template.id}.`,
    );
  }
  return (config.Overrides ?? [{}]).map(override => ({
    template,
    override,
    shown: {
      LaunchTemplateSpecification: { LaunchTemplateId: template.id, Version: '1' },
      Overrides: {
        ...(override.InstanceType !== undefined && { InstanceType: override.InstanceType }),
        ...(override.SubnetId !== undefined && { SubnetId: override.SubnetId }),
        ...(override.AvailabilityZone !== undefined && { AvailabilityZone: override.AvailabilityZone }),
        ...(override.MaxPrice !== undefined && { MaxPrice: override.MaxPrice }),
      },
    },
  }));
}

/** A type may stand once for each zone, whatever its subnets (EC2 answers so to the whole call). */
function refuseDuplicates(account: Account, candidates: readonly Candidate[]): void {
  const seen = new Set<string>();
  for (const { override } of candidates) {
    const { InstanceType, SubnetId, AvailabilityZone, ImageId } = override;
    const subnet = account.settings.subnets.find(it => it.id === SubnetId);
    const pool = [InstanceType, subnet?.zone ?? AvailabilityZone, ImageId].join(' ');
    if (seen.has(pool)) {
      throw new Refusal(
        'InvalidFleetConfig',
        `The fleet configuration contains duplicate instance pools: ${pool.trim()}`,
      );
    }
    seen.add(pool);
  }
}

/** Takes from one pool after the other until there are enough. */
function fulfil(
  account: Account,
  fleetId: string,
  request: CreateFleetRequest,
  candidates: readonly Candidate[],
  { count: target, lifecycle }: Target,
  tags: ReadonlyMap<string, Tags>,
): Required<Pick<CreateFleetResult, 'Errors' | 'Instances'>> {
  const Errors: CreateFleetError[] = [];
  const Instances: CreateFleetInstance[] = [];
  const fail = ({ shown }: Candidate, { code, message }: Refusal) => {
    Errors.push({
      LaunchTemplateAndOverrides: shown,
      Lifecycle: lifecycle,
      ErrorCode: code,
      ErrorMessage: message,
    });
  };
  const planned = candidates.flatMap(candidate => {
    try {
      refuseRequestTags(candidate.template, lifecycle);
      return [{ candidate, plan: planLaunch(account, candidate.template, candidate.override) }];
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      fail(candidate, error);
      return [];
    }
  });
  const strategy =
    (lifecycle === 'spot' ? request.SpotOptions?.AllocationStrategy : undefined) ?? 'lowest-price';
  let left = target;
  for (const [index, { candidate, plan }] of planned.toSorted(by(account, strategy)).entries()) {
    if (left === 0) break;
    const want = strategy === 'diversified' ? Math.ceil(left / (planned.length - index)) : left;
    const { count, refusal } =
      lifecycle === 'spot'
        ? roomIn(account, plan.pool, plan.subnet.id, plan.maxPrice, want)
        : onDemandRoomIn(account, plan.pool, plan.subnet.id, want);
    if (count < want) fail(candidate, refusal);
    if (count === 0) continue;
    const instances = launch(
      account,
      plan,
      count,
      fleetId,
      tagsFor(candidate.template, fleetId, tags),
      lifecycle,
    );
    left -= count;
    Instances.push({
      LaunchTemplateAndOverrides: candidate.shown,
      Lifecycle: lifecycle,
      InstanceIds: instances.map(it => it.id),
      InstanceType: asInstanceType(plan.pool.instanceType),
      AvailabilityZone: plan.pool.zone,
      AvailabilityZoneId: zoneId(account, plan.pool.zone),
      SubnetId: plan.subnet.id,
    });
  }
  return { Errors, Instances };
}

/** EC2 launches nothing on demand from a template that has tags for a spot request. */
function refuseRequestTags({ data }: Template, lifecycle: Target['lifecycle']): void {
  if (lifecycle === 'spot') return;
  if (!data.TagSpecifications?.some(it => it.ResourceType === 'spot-instances-request')) return;
  throw new Refusal(
    'InvalidParameterValue',
    'You cannot specify tags for Spot instances requests if there are no Spot instances requests being created by the request.',
  );
}

/** Which pool comes first. (What EC2 knows of the risk of interruption is here the spare capacity alone.) */
function by(
  account: Account,
  strategy: SpotAllocationStrategy,
): (a: { plan: Plan }, b: { plan: Plan }) => number {
  const price = (a: { plan: Plan }, b: { plan: Plan }) => a.plan.pool.price - b.plan.pool.price;
  if (!strategy.startsWith('capacity-optimized')) return price;
  return (a, b) => {
    const [spareA, spareB] = [spareCapacity(account, a.plan.pool), spareCapacity(account, b.plan.pool)];
    return spareA === spareB ? price(a, b) : spareB - spareA;
  };
}

/** The template's tags, the fleet's over them, and AWS's own. */
function tagsFor(
  template: Template,
  fleetId: string,
  fleetTags: ReadonlyMap<string, Tags>,
): ReadonlyMap<string, Tags> {
  const templateTags = readTagSpecifications(template.data.TagSpecifications, TAGGED_AT_LAUNCH);
  const aws = new Map([
    ['aws:ec2:fleet-id', fleetId],
    ['aws:ec2launchtemplate:id', template.id],
    ['aws:ec2launchtemplate:version', '1'],
  ]);
  return new Map(
    TAGGED_AT_LAUNCH.map(kind => [
      kind,
      new Map([
        ...(templateTags.get(kind) ?? []),
        ...(fleetTags.get(kind) ?? []),
        ...(kind === 'instance' ? aws : []),
      ]),
    ]),
  );
}
